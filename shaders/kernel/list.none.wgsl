// Rows so short that their words are not listed.
// Other form: list.wgsl, which says what the functions are for. Needs: bisect.

struct List {
    low: u32,
}

const NO_LIST: List = List(0xffffffffu);

fn list_words(values: RowValues, index: u32, low: u32) -> List {
    return NO_LIST;
}

fn sum_of_list(row: CutRow, index: u32, list: List, low: u32, ones: bool) -> vec2<u32> {
    return vec2<u32>(0u, 0u);
}

fn searched_in_list(index: u32, list: List, low: u32, limit: vec2<u32>) -> u32 {
    return low;
}
