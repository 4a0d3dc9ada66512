use std::mem::offset_of;

use super::*;
use crate::shaders::{Kernel, Reduction, Restriction, Variant};

/// The uniform is laid out by two compilers: their offsets agree, field by field.
#[test]
fn soft_is_laid_out_as_in_the_shader() {
    let source = Variant {
        kernel: Kernel::Total,
        reduction: Reduction::Alone,
        groups: false,
        format: crate::options::ValueFormat::F32,
        vec4: false,
        each: false,
        immediates: false,
        restriction: Restriction::None,
        int64: false,
        emulated: false,
        workgroup_size: 64,
    }
    .source();
    let module = naga::front::wgsl::parse_str(&source).unwrap();
    let members = module.types.iter().find_map(|(_, ty)| match &ty.inner {
        naga::TypeInner::Struct { members, .. } if ty.name.as_deref() == Some("Soft") => {
            Some(members)
        }
        _ => None,
    });
    let shader: Vec<_> =
        members.unwrap().iter().map(|m| (m.name.as_deref().unwrap(), m.offset as usize)).collect();
    let host = [
        ("fall", offset_of!(Soft, fall)),
        ("largest_gap", offset_of!(Soft, largest_gap)),
        ("strips", offset_of!(Soft, strips)),
        ("vjp", offset_of!(Soft, vjp)),
    ];
    assert_eq!(shader, host);
}
