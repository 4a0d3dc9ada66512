use super::*;

/// Padding makes an incomplete tile whole, and the values that it adds are never drawn.
#[test]
fn a_padded_tile_ends_with_what_is_never_drawn() {
    for len in 1..MAX_TILE * OCTET {
        let values = vec![1.5f32; 3 * MAX_TILE * OCTET + len];
        let last = RowValues::after_tiles(&values[..], MAX_TILE * OCTET);
        let Aligned(whole) = RowValues::padded(last);
        assert!(whole[..len].iter().all(|&x| x == 1.5), "{len}");
        assert!(whole[len..].iter().all(|&x| x == f32::NEVER), "{len}");
    }
}

/// Rows side by side are filled up likewise, and a part of a row leaves nothing of the values there before.
#[test]
fn rows_side_by_side_have_what_is_never_drawn_between_them() {
    let mut rows = SideBySide::<u32, 8>::new(11);
    for at in 0..4 {
        rows.put(at, &[7; 11][..]);
    }
    for (i, &value) in rows.values().iter().enumerate() {
        assert_eq!(value, if i % 16 < 11 { 7 } else { u32::NEVER }, "{i}");
    }
    let mut rows = SideBySide::<f32, 2>::new(16);
    rows.put_part_widened(&[1.0f32; 16][..]);
    rows.put_part_widened(&[2.0f32; 5][..]);
    assert_eq!(rows.values()[..5], [2.0; 5]);
    assert_eq!(rows.values()[5..8], [f32::NEG_INFINITY; 3]);
}
