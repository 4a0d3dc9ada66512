//! Parts of errors' messages.

/// The numbers of draws that were asked for, and what there is.
pub(super) fn draws(first_draw: u32, draws: u32) -> String {
    let there = "a row has 1 to 2147483648 draws, numbered from 0";
    if draws == 0 {
        return format!("no draws were asked for; {there}");
    }
    format!("{draws} draws from number {first_draw} on were asked for; {there}")
}

/// A number in few digits: 1e-40, not 0 and forty zeros.
pub(super) fn short(x: f32) -> String {
    let usual = x == 0.0 || !x.is_finite() || (1e-4..1e7).contains(&x.abs());
    if usual { format!("{x}") } else { format!("{x:e}") }
}

/// A number in few digits, which are those of an `f32` if the number is one.
pub(super) fn shortest(x: f64) -> String {
    let usual = (1e-4..1e7).contains(&x.abs());
    let single = x as f32;
    match f64::from(single) == x || x.is_nan() {
        true => short(single),
        false if usual => format!("{x}"),
        false => format!("{x:e}"),
    }
}

/// Names, or none.
pub(super) fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The strides of a batch. The usual stride of categories goes without saying.
pub(super) fn strides(row_stride: usize, category_stride: usize) -> String {
    match category_stride {
        1 => format!("a row stride of {row_stride}"),
        _ => format!("a row stride of {row_stride} and a category stride of {category_stride}"),
    }
}
