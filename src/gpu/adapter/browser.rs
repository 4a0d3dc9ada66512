//! What a browser tells of its GPU and its machine, and wgpu does not.

use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::AdapterReport;

/// True if the host of WebAssembly is a page or one of its workers. wgpu panics where it is neither,
/// as in Node.
pub(super) fn is_host() -> bool {
    let global = js_sys::global();
    global.is_instance_of::<web_sys::Window>()
        || global.is_instance_of::<web_sys::WorkerGlobalScope>()
}

/// The number of cores of the machine, if the browser tells.
pub(in crate::gpu) fn cores() -> Option<usize> {
    let cores = get(&navigator()?, "hardwareConcurrency")?.as_f64()?;
    (cores >= 1.0).then_some(cores as usize)
}

/// The adapter that the browser gives for a preference, if any.
pub(super) async fn adapter(
    instance: &wgpu::Instance,
    power_preference: wgpu::PowerPreference,
) -> Option<AdapterReport> {
    let options =
        wgpu::RequestAdapterOptions { power_preference, ..wgpu::RequestAdapterOptions::default() };
    let mut report = AdapterReport::new(instance.request_adapter(&options).await.ok()?);
    if report.info.name.is_empty() {
        report.info.name = name(power_preference).await.unwrap_or_default();
    }
    Some(report)
}

/// The vendor and the architecture of the adapter that the browser gives for a preference: the
/// description, which wgpu takes for the name, is empty in most browsers.
async fn name(preference: wgpu::PowerPreference) -> Option<String> {
    let gpu = get(&navigator()?, "gpu")?;
    let options = Object::new();
    let wish = match preference {
        wgpu::PowerPreference::None => JsValue::UNDEFINED,
        wgpu::PowerPreference::LowPower => "low-power".into(),
        wgpu::PowerPreference::HighPerformance => "high-performance".into(),
    };
    Reflect::set(&options, &"powerPreference".into(), &wish).ok()?;
    let request: Function = get(&gpu, "requestAdapter")?.dyn_into().ok()?;
    let adapter: Promise = request.call1(&gpu, &options).ok()?.dyn_into().ok()?;
    let info = get(&JsFuture::from(adapter).await.ok()?, "info")?;
    let words =
        ["vendor", "architecture"].into_iter().filter_map(|what| get(&info, what)?.as_string());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    Some(words.join(" "))
}

fn navigator() -> Option<JsValue> {
    get(&js_sys::global(), "navigator")
}

/// A property of an object, if it is defined.
fn get(object: &JsValue, property: &str) -> Option<JsValue> {
    let value = Reflect::get(object, &property.into()).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}
