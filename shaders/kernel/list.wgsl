// The words of a row from one on, in workgroup memory, if they are few: the word at which a sum of these reaches a limit is
// found without another look at the row, and without a ladder. Needs: bisect, members_of_group.
// Other form, for short rows: list.none.wgsl.
//
// Barriers: one and the load of their number where the list is made, two and the load of what is found in the other functions. All
// invocations reach them, as the list and what is sought are uniform.
// Workgroup memory: invocations write the words whose places they took, and the terms of their words, each before a barrier;
// invocation 0 empties the list and writes what is shared, each before a barrier.
// Loops: a word takes an iteration for each of the listed words, in each of at most two searches. The host has 16 invocations or more.

const ROOM: u32 = 512u;

var<workgroup> words_listed: array<u32, ROOM>;
var<workgroup> halves_queued: array<u32, ROOM>;
// What each word adds to a sum; (low, high).
var<workgroup> terms_listed: array<vec2<u32>, ROOM>;
// The numbers of both, which are counted beyond the room.
var<workgroup> queued: atomic<u32>;
var<workgroup> listed: atomic<u32>;
var<workgroup> sum_listed: array<atomic<u32>, 2>;
var<workgroup> word_found: atomic<u32>;
// What all invocations are told: a count or a word, and a sum.
var<workgroup> shared_count: u32;
var<workgroup> shared_sum_listed: vec2<u32>;

// All words of the row from `low` on are listed, `count` of them.
struct List {
    low: u32,
    count: u32,
}

// Begins above all words but the largest count. If that is what is sought, nothing but that is kept in any case.
const NO_LIST: List = List(0xffffffffu, 0u);

// Empties the queue of half-spans and the list.
fn begin_list(index: u32) {
    if index == 0u {
        atomicStore(&queued, 0u);
        atomicStore(&listed, 0u);
    }
    workgroupBarrier();
}

fn queue_half(half: u32) {
    let at = atomicAdd(&queued, 1u);
    if at < ROOM {
        halves_queued[at] = half;
    }
}

// The number of half-spans queued, once all invocations have queued theirs; 0 if there was no room for all of them.
fn queued_halves(index: u32) -> u32 {
    workgroupBarrier();
    if index == 0u {
        shared_count = atomicLoad(&queued);
    }
    let count = workgroupUniformLoad(&shared_count);
    return select(0u, count, count <= ROOM);
}

fn list_word(word: u32) {
    let at = atomicAdd(&listed, 1u);
    if at < ROOM {
        words_listed[at] = word;
    }
}

// The list, once all invocations have listed the words of what was queued.
fn list_from(index: u32, low: u32, queued: u32) -> List {
    workgroupBarrier();
    if index == 0u {
        shared_count = atomicLoad(&listed);
    }
    let count = workgroupUniformLoad(&shared_count);
    if queued == 0u || count > ROOM {
        return NO_LIST;
    }
    return List(low, count);
}

// Lists the words from `low` on. All invocations take part: half-spans that have such words are queued first, as these few are
// then divided evenly.
fn list_words(values: RowValues, index: u32, low: u32) -> List {
    let first = restriction.halves_at + values.position * restriction.halves;
    begin_list(index);
    for (var half = index; half < restriction.halves; half += WORKGROUP) {
        if cuts[first + half].x >= low {
            queue_half(half);
        }
    }
    let queued = queued_halves(index);
    for (var i = index; i < queued; i += WORKGROUP) {
        let half = halves_queued[i];
        var groups = groups_from(values, half, low);
        while groups != 0u {
            let group = first_group_of(half) + firstTrailingBit(groups);
            groups &= groups - 1u;
            var members = 0u;
            for (var member = 0u; member < 16u; member += 4u) {
                let words = ordered_values(four_of_group(values, group, member));
                let four = select(vec4<u32>(0u), vec4<u32>(1u, 2u, 4u, 8u), words >= vec4<u32>(low));
                members |= ((four.x | four.y) | (four.z | four.w)) << member;
            }
            while members != 0u {
                list_word(ordered_value(value_of_member(values, category_of(group, firstTrailingBit(members)))));
                members &= members - 1u;
            }
        }
    }
    return list_from(index, low, queued);
}

// Gives each listed word its term of a sum, 1 or its weight, and returns the sum of the terms of words from `low` on.
fn sum_of_list(row: CutRow, index: u32, list: List, low: u32, ones: bool) -> vec2<u32> {
    if index < 2u {
        atomicStore(&sum_listed[index], 0u);
    }
    workgroupBarrier();
    for (var i = index; i < list.count; i += WORKGROUP) {
        let word = words_listed[i];
        var term = vec2<u32>(1u, 0u);
        if !ones {
            term = weight_of_word(row, word);
        }
        terms_listed[i] = term;
        if word >= low {
            let before = atomicAdd(&sum_listed[0], term.x);
            atomicAdd(&sum_listed[1], term.y + u32(before + term.x < before));
        }
    }
    workgroupBarrier();
    if index == 0u {
        shared_sum_listed = vec2<u32>(atomicLoad(&sum_listed[0]), atomicLoad(&sum_listed[1]));
    }
    return workgroupUniformLoad(&shared_sum_listed);
}

// The largest word from which on the terms of listed words add up to the limit or more, or `low` if there is none above.
fn searched_in_list(index: u32, list: List, low: u32, limit: vec2<u32>) -> u32 {
    if index == 0u {
        atomicStore(&word_found, low);
    }
    workgroupBarrier();
    for (var i = index; i < list.count; i += WORKGROUP) {
        let word = words_listed[i];
        var sum = vec2<u32>(0u, 0u);
        for (var j = 0u; j < list.count; j++) {
            sum = add64(sum, select(vec2<u32>(0u, 0u), terms_listed[j], words_listed[j] >= word));
        }
        if less_or_equal64(limit, sum) {
            atomicMax(&word_found, word);
        }
    }
    workgroupBarrier();
    if index == 0u {
        shared_count = atomicLoad(&word_found);
    }
    return workgroupUniformLoad(&shared_count);
}
