// The one way to the values of rows: every kernel gets them here, and here `NEVER` takes the place of values that
// must not be drawn: the values after a row's end, and those that its restriction hides.
// Needs: octet, load, restriction, and `run` with the categories of a row.

// An octet of a row.
fn octet_in_row(row: RowValues, octet: u32) -> Octet {
    return restricted(row, octet, cut(load_eight(row.first + octet * 8u), run.categories - octet * 8u));
}

// An octet of that row, of which nothing can be drawn from the octet `end` on.
fn octet_before(row: RowValues, octet: u32, end: u32) -> Octet {
    return restricted(row, octet, loaded_before(row, octet, end));
}

// That octet with the values that the row's restriction hides.
fn loaded_before(row: RowValues, octet: u32, end: u32) -> Octet {
    var count = 0u;
    if octet < end {
        count = run.categories - octet * 8u;
    }
    return cut(load_eight(row.first + octet * 8u), count);
}

// Every second octet of that row, eight in all, of which nothing can be drawn from the octet `end` on, or that is not
// allowed. Values below the row's cut are hidden by `uncut`, for which the largest value of a group is enough.
fn every_second_octet_before(row: RowValues, octet: u32, end: u32) -> array<Octet, 8> {
    if !allows_any(row, octet) {
        let none = Octet(vec4<u32>(NEVER), vec4<u32>(NEVER));
        return array<Octet, 8>(none, none, none, none, none, none, none, none);
    }
    return allowed_of(row, octet, loaded_every_second_before(row.first, octet, end));
}

// Nearly all octets are whole: one branch for all of them costs less than one for each.
fn loaded_every_second_before(first: u32, octet: u32, end: u32) -> array<Octet, 8> {
    let x = load_every_second(first + octet * 8u);
    if octet + 14u < end && run.categories - octet * 8u >= 120u {
        return x;
    }
    return array<Octet, 8>(
        cut(x[0], count_before(octet, end)), cut(x[1], count_before(octet + 2u, end)),
        cut(x[2], count_before(octet + 4u, end)), cut(x[3], count_before(octet + 6u, end)),
        cut(x[4], count_before(octet + 8u, end)), cut(x[5], count_before(octet + 10u, end)),
        cut(x[6], count_before(octet + 12u, end)), cut(x[7], count_before(octet + 14u, end)),
    );
}

// The number of categories from an octet on, 0 from the octet `end` on.
fn count_before(octet: u32, end: u32) -> u32 {
    return select(0u, run.categories - octet * 8u, octet < end);
}

// One value of that row.
fn value_in_row(row: RowValues, category: u32) -> u32 {
    return restricted_one(row, category, load_one(row.first + category));
}

// The first `count` values of an octet, and `NEVER` for the others.
fn cut(octet: Octet, count: u32) -> Octet {
    if count >= 8u {
        return octet;
    }
    let none = vec4<u32>(NEVER);
    return Octet(
        select(none, octet.low, vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(count)),
        select(none, octet.high, vec4<u32>(4u, 5u, 6u, 7u) < vec4<u32>(count)),
    );
}
