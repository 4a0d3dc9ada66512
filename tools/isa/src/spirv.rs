//! From WGSL to SPIR-V with the options of wgpu's Vulkan backend (`wgpu-hal`, `vulkan/adapter.rs`), and
//! what a host has to know of a shader.

use naga::back::spv;
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, ShaderStages, SubgroupOperationSet, ValidationFlags, Validator};
use naga::{AddressSpace, Module, ResourceBinding, TypeInner};

use crate::Error;

/// A compiled shader.
#[derive(Debug)]
pub struct Shader {
    /// Its SPIR-V.
    pub words: Vec<u32>,
    /// The buffers that it is bound to, by name.
    pub bindings: Vec<(String, ResourceBinding)>,
    /// The fields of its uniform, and where they are.
    pub fields: Vec<(String, u32)>,
    /// The bytes of its uniform.
    pub uniform_bytes: u32,
    /// Whether it takes immediate data.
    pub immediates: bool,
}

impl Shader {
    /// The binding of this name, if it has one.
    pub fn binding(&self, name: &str) -> Option<u32> {
        self.bindings.iter().find(|(n, _)| n == name).map(|(_, at)| at.binding)
    }
}

/// Compiles a shader, with 64-bit integers on the device or without.
pub fn compile(source: &str, int64: bool) -> Result<Shader, Error> {
    let module = naga::front::wgsl::parse_str(source).map_err(|e| e.emit_to_string(source))?;
    let info = Validator::new(ValidationFlags::all(), Capabilities::all())
        .subgroup_stages(ShaderStages::all())
        .subgroup_operations(SubgroupOperationSet::all())
        .validate(&module)
        .map_err(|e| e.emit_to_string(source))?;
    let words = spv::write_vec(&module, &info, &options(int64), None)?;
    let (fields, uniform_bytes) = uniform(&module);
    let bindings = module
        .global_variables
        .iter()
        .filter_map(|(_, global)| Some((global.name.clone()?, global.binding?)));
    let mut globals = module.global_variables.iter();
    let immediates = globals.any(|(_, global)| global.space == AddressSpace::Immediate);
    Ok(Shader { words, bindings: bindings.collect(), fields, uniform_bytes, immediates })
}

fn uniform(module: &Module) -> (Vec<(String, u32)>, u32) {
    let mut globals = module.global_variables.iter();
    let uniform = globals.find(|(_, global)| global.space == AddressSpace::Uniform);
    let Some((_, global)) = uniform else {
        return (vec![], 0);
    };
    match &module.types[global.ty].inner {
        TypeInner::Struct { members, span } => {
            let fields = members.iter().filter_map(|m| Some((m.name.clone()?, m.offset)));
            (fields.collect(), *span)
        }
        _ => (vec![], 0),
    }
}

fn options<'a>(int64: bool) -> spv::Options<'a> {
    use spv::Capability::*;
    // what is there always, with subgroups, and of what RADV has besides
    let mut capabilities = vec![
        Shader,
        Matrix,
        Sampled1D,
        Image1D,
        ImageQuery,
        DerivativeControl,
        StorageImageExtendedFormats,
        GroupNonUniform,
        GroupNonUniformVote,
        GroupNonUniformArithmetic,
        GroupNonUniformBallot,
        GroupNonUniformShuffle,
        GroupNonUniformShuffleRelative,
        GroupNonUniformQuad,
        DotProductInputAll,
        DotProductInput4x8Bit,
        DotProductInput4x8BitPacked,
        DotProduct,
        Int8,
    ];
    if int64 {
        capabilities.push(Int64);
    }
    spv::Options {
        lang_version: (1, 6),
        flags: spv::WriterFlags::LABEL_VARYINGS | spv::WriterFlags::FORCE_POINT_SIZE,
        capabilities: Some(capabilities.into_iter().collect()),
        bounds_check_policies: BoundsCheckPolicies {
            index: BoundsCheckPolicy::Restrict,
            // RADV has robustBufferAccess2
            buffer: BoundsCheckPolicy::Unchecked,
            image_load: BoundsCheckPolicy::Unchecked,
            binding_array: BoundsCheckPolicy::Unchecked,
        },
        // as src/gpu/kernel.rs asks
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        force_loop_bounding: true,
        emit_int_div_checks: true,
        ..Default::default()
    }
}
