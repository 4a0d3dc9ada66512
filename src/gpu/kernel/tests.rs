use std::mem::offset_of;

use super::*;
use crate::shaders::Variant;

/// The uniform is laid out by two compilers: their offsets agree, field by field.
#[test]
fn the_pass_is_laid_out_as_in_the_shader() {
    let source = Variant { int64: false, workgroup_size: 64 }.source();
    let module = naga::front::wgsl::parse_str(&source).unwrap();
    let (members, span) = module
        .types
        .iter()
        .find_map(|(_, ty)| match &ty.inner {
            naga::TypeInner::Struct { members, span } if ty.name.as_deref() == Some("Pass") => {
                Some((members, *span))
            }
            _ => None,
        })
        .unwrap();
    let shader: Vec<_> =
        members.iter().map(|m| (m.name.as_deref().unwrap(), m.offset as usize)).collect();
    macro_rules! offsets {
        ($($field:ident),*) => { vec![$((stringify!($field), offset_of!(Pass, $field))),*] };
    }
    let host = offsets![
        seed,
        first_row,
        rows,
        draws,
        first_draw,
        first_category,
        categories,
        row_stride,
        lanes,
        flags,
        scale,
        slope,
        lowest,
        unused
    ];
    assert_eq!(shader, host);
    assert_eq!(span as usize, size_of::<Pass>());
}

#[test]
fn the_flags_are_those_of_the_shader() {
    let source = Variant { int64: false, workgroup_size: 64 }.source();
    for (name, value) in [
        ("EXPLICIT_IDS", EXPLICIT_IDS),
        ("GREEDY", GREEDY),
        ("UNFILTERED", UNFILTERED),
        ("CONTINUED", CONTINUED),
        ("UNFINISHED", UNFINISHED),
    ] {
        assert!(source.contains(&format!("const {name}: u32 = {value}u;")), "{name}");
    }
}
