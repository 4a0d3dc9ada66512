//! RADV without a device: its null winsys compiles for the chip that `RADV_FORCE_FAMILY` names.

#![allow(unsafe_code, reason = "Vulkan is a C interface")]

use std::ffi::{CStr, CString, c_char};

use ash::vk;

use crate::Error;
use crate::spirv::Shader;

/// What RADV makes of a kernel.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Its machine code, as it is printed.
    pub assembly: String,
    /// The lanes of a wave.
    pub wave: u32,
    /// The scalar registers that are filled when it begins.
    pub given: usize,
    /// RADV's own figures, by name.
    pub figures: Vec<(String, u64)>,
}

impl Compiled {
    /// A figure of RADV's.
    pub fn figure(&self, name: &str) -> Result<u64, Error> {
        let found = self.figures.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let all: Vec<_> = self.figures.iter().map(|(n, _)| n.as_str()).collect();
            format!("RADV tells no {name}, but {}", all.join(", ")).into()
        })
    }
}

/// A chip that there need not be. It is left to the end of the process, as nothing runs on it.
pub struct Chip {
    // the loader, which must be there as long as what it has loaded
    _entry: ash::Entry,
    device: ash::Device,
    executables: ash::khr::pipeline_executable_properties::Device,
    /// RADV's name for it.
    pub name: String,
    /// The driver and its version.
    pub driver: String,
}

impl std::fmt::Debug for Chip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chip").field("name", &self.name).field("driver", &self.driver).finish()
    }
}

/// The string in an array that ends with a zero.
fn text(chars: &[c_char]) -> String {
    // SAFETY: Vulkan ends its strings within their arrays
    unsafe { CStr::from_ptr(chars.as_ptr()) }.to_string_lossy().into_owned()
}

impl Chip {
    /// Opens the chip of this family, with 64-bit integers or without. There must be no other thread.
    pub fn open(family: &str, int64: bool) -> Result<Self, Error> {
        // SAFETY: there is no other thread that reads the environment
        unsafe { std::env::set_var("RADV_FORCE_FAMILY", family) };
        // SAFETY: a Vulkan loader is what it says
        let entry = unsafe { ash::Entry::load() }
            .map_err(|e| format!("no Vulkan loader (Debian: apt-get install libvulkan1): {e}"))?;
        let app = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
        let info = vk::InstanceCreateInfo::default().application_info(&app);
        // SAFETY: here and below, structures are made by ash and live as long as the call
        unsafe {
            let instance = entry
                .create_instance(&info, None)
                .map_err(|e| format!("no Vulkan instance: {e}; is RADV in VK_DRIVER_FILES?"))?;
            let adapter = instance.enumerate_physical_devices()?.into_iter().next();
            let adapter = adapter.ok_or_else(|| {
                format!("RADV compiles for no {family}, or it is not in VK_DRIVER_FILES")
            })?;
            let mut driver = vk::PhysicalDeviceDriverProperties::default();
            let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut driver);
            instance.get_physical_device_properties2(adapter, &mut properties);
            let name = text(&properties.properties.device_name);
            let driver = format!("{} {}", text(&driver.driver_name), text(&driver.driver_info));
            if !driver.starts_with("radv") {
                return Err(format!("RADV was expected, and {driver} ({name}) came").into());
            }
            let device = Self::device(&instance, adapter, int64)?;
            let executables =
                ash::khr::pipeline_executable_properties::Device::new(&instance, &device);
            Ok(Self { _entry: entry, device, executables, name, driver })
        }
    }

    /// # Safety
    /// The adapter must be of the instance.
    unsafe fn device(
        instance: &ash::Instance,
        adapter: vk::PhysicalDevice,
        int64: bool,
    ) -> Result<ash::Device, Error> {
        let names = [
            vk::KHR_PIPELINE_EXECUTABLE_PROPERTIES_NAME.as_ptr(),
            vk::EXT_ROBUSTNESS2_NAME.as_ptr(),
        ];
        let queues = [vk::DeviceQueueCreateInfo::default().queue_priorities(&[1.0])];
        let features =
            vk::PhysicalDeviceFeatures::default().shader_int64(int64).robust_buffer_access(true);
        let mut of_13 = vk::PhysicalDeviceVulkan13Features::default()
            .subgroup_size_control(true)
            .compute_full_subgroups(true)
            .maintenance4(true);
        let mut of_12 = vk::PhysicalDeviceVulkan12Features::default().timeline_semaphore(true);
        let mut executables = vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default()
            .pipeline_executable_info(true);
        let mut robustness =
            vk::PhysicalDeviceRobustness2FeaturesEXT::default().robust_buffer_access2(true);
        let info = vk::DeviceCreateInfo::default()
            .queue_create_infos(&queues)
            .enabled_features(&features)
            .enabled_extension_names(&names)
            .push_next(&mut of_13)
            .push_next(&mut of_12)
            .push_next(&mut executables)
            .push_next(&mut robustness);
        // SAFETY: the adapter is of the instance
        Ok(unsafe { instance.create_device(adapter, &info, None) }
            .map_err(|e| format!("RADV opens no such device: {e}"))?)
    }

    /// Compiles a kernel.
    pub fn compile(&self, shader: &Shader, entry_point: &str) -> Result<Compiled, Error> {
        let entry_point = CString::new(entry_point)?;
        // SAFETY: as above
        unsafe {
            let code = vk::ShaderModuleCreateInfo::default().code(&shader.words);
            let module = self.device.create_shader_module(&code, None)?;
            // all that the engine binds, whether this kernel has it or not: src/gpu/kernel/bindings.rs
            let last = shader.bindings.iter().map(|(_, at)| at.binding).max().unwrap_or(0).max(4);
            let bindings = (0..=last).map(|binding| {
                let kind = match binding {
                    0 => vk::DescriptorType::UNIFORM_BUFFER,
                    _ => vk::DescriptorType::STORAGE_BUFFER,
                };
                vk::DescriptorSetLayoutBinding::default()
                    .binding(binding)
                    .descriptor_type(kind)
                    .descriptor_count(1)
                    .stage_flags(vk::ShaderStageFlags::COMPUTE)
            });
            let bindings: Vec<_> = bindings.collect();
            let set = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
            let sets = [self.device.create_descriptor_set_layout(&set, None)?];
            let immediates = [vk::PushConstantRange::default()
                .stage_flags(vk::ShaderStageFlags::COMPUTE)
                .size(4)];
            let ranges = if shader.immediates { &immediates[..] } else { &[] };
            let layout = vk::PipelineLayoutCreateInfo::default()
                .set_layouts(&sets)
                .push_constant_ranges(ranges);
            let layout = self.device.create_pipeline_layout(&layout, None)?;
            // as wgpu-hal asks where a device has subgroups
            let stage = vk::PipelineShaderStageCreateInfo::default()
                .flags(vk::PipelineShaderStageCreateFlags::ALLOW_VARYING_SUBGROUP_SIZE)
                .stage(vk::ShaderStageFlags::COMPUTE)
                .module(module)
                .name(&entry_point);
            let flags = vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR
                | vk::PipelineCreateFlags::CAPTURE_INTERNAL_REPRESENTATIONS_KHR;
            let info =
                vk::ComputePipelineCreateInfo::default().stage(stage).layout(layout).flags(flags);
            let made =
                self.device.create_compute_pipelines(vk::PipelineCache::null(), &[info], None);
            let pipelines = made.map_err(|(_, e)| format!("RADV does not compile it: {e}"))?;
            self.told(*pipelines.first().ok_or("RADV made no pipeline")?)
        }
    }

    /// # Safety
    /// The pipeline must be of this device.
    unsafe fn told(&self, pipeline: vk::Pipeline) -> Result<Compiled, Error> {
        let info = vk::PipelineInfoKHR::default().pipeline(pipeline);
        let executable = vk::PipelineExecutableInfoKHR::default().pipeline(pipeline);
        // SAFETY: the pipeline has one executable, and buffers are of the sizes that were asked for
        unsafe {
            let properties = self.executables.get_pipeline_executable_properties(&info)?;
            let wave = properties.first().ok_or("RADV tells nothing of a pipeline")?.subgroup_size;
            let statistics = self.executables.get_pipeline_executable_statistics(&executable)?;
            let integers = statistics
                .iter()
                .filter(|s| s.format == vk::PipelineExecutableStatisticFormatKHR::UINT64);
            let figures = integers.map(|s| (text(&s.name), s.value.u64)).collect();
            let ask = self.executables.fp().get_pipeline_executable_internal_representations_khr;
            let mut count = 0;
            ask(self.device.handle(), &executable, &mut count, std::ptr::null_mut()).result()?;
            let mut forms =
                vec![vk::PipelineExecutableInternalRepresentationKHR::default(); count as usize];
            ask(self.device.handle(), &executable, &mut count, forms.as_mut_ptr()).result()?;
            let mut bytes: Vec<_> = forms.iter().map(|form| vec![0u8; form.data_size]).collect();
            for (form, bytes) in forms.iter_mut().zip(&mut bytes) {
                form.p_data = bytes.as_mut_ptr().cast();
            }
            ask(self.device.handle(), &executable, &mut count, forms.as_mut_ptr()).result()?;
            let form = |name: &str| {
                let found = forms.iter().zip(&bytes).find(|(form, _)| text(&form.name) == name);
                let (_, bytes) = found.ok_or_else(|| format!("RADV prints no {name}"))?;
                let text = String::from_utf8_lossy(bytes).trim_end_matches('\0').to_string();
                Ok::<_, Error>(text)
            };
            let given =
                given(&form("ACO IR")?).ok_or("RADV's IR does not say how a wave begins")?;
            Ok(Compiled { assembly: form("Assembly")?, wave, given, figures })
        }
    }
}

/// The scalar registers of the line `s2: %1:s[0-1], s1: %2:s[2], v1: %3:v[0] = p_startpgm`.
fn given(ir: &str) -> Option<usize> {
    let line = ir.lines().find(|line| line.contains("= p_startpgm"))?;
    let ranges = line.split(":s[").skip(1).filter_map(|rest| rest.split(']').next());
    let last = ranges.filter_map(|range| range.rsplit('-').next()?.parse::<usize>().ok()).max()?;
    Some(last + 1)
}
