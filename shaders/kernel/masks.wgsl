// Masks of the categories that may be drawn: bit i % 32 of word i / 32 is 1 if category i is allowed.
// Other form, for rows without masks: masks.none.wgsl. Needs: restriction.

// An octet without the values that are not allowed.
fn allowed_octet(row: RowValues, octet: u32, values: Octet) -> Octet {
    return allowed_by(masks[row.mask + (octet >> 2u)] >> ((octet & 3u) * 8u), values);
}

fn allowed_by(bits: u32, values: Octet) -> Octet {
    // bits become signs, which processors select by
    let low = bitcast<vec4<i32>>(vec4<u32>(bits) << vec4<u32>(31u, 30u, 29u, 28u));
    let high = bitcast<vec4<i32>>(vec4<u32>(bits) << vec4<u32>(27u, 26u, 25u, 24u));
    return Octet(
        select(vec4<u32>(NEVER), values.low, low < vec4<i32>(0)),
        select(vec4<u32>(NEVER), values.high, high < vec4<i32>(0)),
    );
}

fn is_allowed(row: RowValues, category: u32) -> bool {
    return ((masks[row.mask + (category >> 5u)] >> (category & 31u)) & 1u) != 0u;
}

// The bits of every second octet, eight in all: two octets a word, in the first and in the third byte. The first of them
// is one of the first two of its word.
fn allowed_every_second(row: RowValues, octet: u32) -> vec4<u32> {
    let at = row.mask + (octet >> 2u);
    let words = vec4<u32>(masks[at], masks[at + 1u], masks[at + 2u], masks[at + 3u]);
    return (words >> vec4<u32>((octet & 1u) * 8u)) & vec4<u32>(0xff00ffu);
}

// Whether something is allowed in one of these octets.
fn allows_any(row: RowValues, octet: u32) -> bool {
    return any(allowed_every_second(row, octet) != vec4<u32>(0u));
}

// Every second octet, eight in all, without the values that are not allowed. Those below the row's cut are still there:
// the largest of some values is below the cut if and only if all of them are, so `uncut` comes after the maxima.
fn allowed_of(row: RowValues, octet: u32, values: array<Octet, 8>) -> array<Octet, 8> {
    let bits = allowed_every_second(row, octet);
    // emulated devices execute what follows in any case
    if !EMULATED && all(bits == vec4<u32>(0xff00ffu)) {
        return values;
    }
    return array<Octet, 8>(
        allowed_by(bits.x, values[0]), allowed_by(bits.x >> 16u, values[1]),
        allowed_by(bits.y, values[2]), allowed_by(bits.y >> 16u, values[3]),
        allowed_by(bits.z, values[4]), allowed_by(bits.z >> 16u, values[5]),
        allowed_by(bits.w, values[6]), allowed_by(bits.w >> 16u, values[7]),
    );
}
