//! The engines, and the operations.

use std::rc::Rc;

use gumbel::{CpuSampler, Error, GpuSampler, Relaxation, Sampler, wgpu};
use js_sys::{Float32Array, Float64Array, Uint32Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::call::Call;
use crate::error::to_js;
use crate::memory::Memory;
use crate::outcome::{array, object, outcome};
use crate::rows::Rows;
use crate::table::Table;

/// A sampler on one engine or two.
#[wasm_bindgen]
pub struct Engine {
    sampler: Rc<Sampler>,
}

/// Which adapter a sampler takes, and how it uses the adapter.
#[wasm_bindgen]
#[derive(Clone, Default)]
pub struct Choice {
    power_preference: wgpu::PowerPreference,
    software: bool,
    chunk_bytes: Option<u32>,
}

#[wasm_bindgen]
impl Choice {
    /// The crate's defaults.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }
    /// Prefers an adapter that saves power.
    #[wasm_bindgen(js_name = lowPower)]
    pub fn low_power(&mut self) {
        self.power_preference = wgpu::PowerPreference::LowPower;
    }
    /// Prefers a fast adapter.
    #[wasm_bindgen(js_name = highPerformance)]
    pub fn high_performance(&mut self) {
        self.power_preference = wgpu::PowerPreference::HighPerformance;
    }
    /// Takes a software adapter where there is no other.
    pub fn software(&mut self) {
        self.software = true;
    }
    /// The most bytes of a chunk.
    #[wasm_bindgen(js_name = chunkBytes)]
    pub fn chunk_bytes(&mut self, bytes: u32) {
        self.chunk_bytes = Some(bytes);
    }
}

impl Choice {
    async fn open(self) -> Result<GpuSampler, Error> {
        let mut builder = GpuSampler::builder()
            .with_power_preference(self.power_preference)
            .with_software(self.software);
        if let Some(bytes) = self.chunk_bytes {
            builder = builder.with_chunk_bytes(bytes.into());
        }
        builder.build_async().await
    }
}

#[wasm_bindgen]
impl Engine {
    /// The CPU engine.
    pub fn cpu() -> Self {
        Self::of(CpuSampler::new())
    }

    /// A promise of a GPU and the CPU, or without a GPU of the CPU and why.
    pub fn auto(choice: &Choice) -> js_sys::Promise {
        let choice = choice.clone();
        future_to_promise(async move {
            Ok(match choice.open().await {
                Ok(gpu) => object([(
                    "engine",
                    Self::of(Sampler::with_engines(CpuSampler::new(), gpu)).into(),
                )]),
                Err(error) => {
                    object([("engine", Self::cpu().into()), ("reason", to_js(&error).into())])
                }
            })
        })
    }

    /// A promise of a GPU.
    pub fn gpu(choice: &Choice) -> js_sys::Promise {
        let choice = choice.clone();
        future_to_promise(async move {
            let gpu = choice.open().await.map_err(|error| to_js(&error))?;
            Ok(Self::of(gpu).into())
        })
    }

    /// The name of the adapter, `None` without a GPU.
    pub fn adapter(&self) -> Option<String> {
        self.sampler.as_gpu().map(|gpu| gpu.adapter().name.clone())
    }

    /// Whether the adapter emulates a GPU.
    #[wasm_bindgen(js_name = isSoftware)]
    pub fn is_software(&self) -> bool {
        self.sampler.as_gpu().is_some_and(|gpu| gpu.adapter().device_type == wgpu::DeviceType::Cpu)
    }

    /// The error by which the device was lost in a call that the CPU finished, if it was.
    pub fn lost(&self) -> Option<String> {
        self.sampler.lost_gpu().map(Error::to_string)
    }

    /// Gives the device back.
    pub fn destroy(&self) {
        if let Some(gpu) = self.sampler.as_gpu() {
            gpu.device().destroy();
        }
    }

    /// rows x draws categories.
    ///
    /// # Errors
    /// Those of the crate, here and below; from a GPU they come by the promise.
    pub fn sample(&self, rows: &Rows, call: &Call) -> Result<JsValue, JsError> {
        let (sampler, rows, call) = (Rc::clone(&self.sampler), rows.clone(), call.clone());
        outcome(async move {
            let draws = sampler.sample_rows_async(rows.batch()?, &call.options()).await?;
            Ok(array::<Uint32Array, _>(&draws))
        })
    }

    /// Draws with log-probabilities.
    ///
    /// # Errors
    /// As above.
    #[wasm_bindgen(js_name = sampleScored)]
    pub fn sample_scored(&self, rows: &Rows, call: &Call) -> Result<JsValue, JsError> {
        let (sampler, rows, call) = (Rc::clone(&self.sampler), rows.clone(), call.clone());
        outcome(async move {
            let scored = sampler.sample_rows_scored_async(rows.batch()?, &call.options()).await?;
            Ok(object([
                ("draws", array::<Uint32Array, _>(&scored.draws)),
                ("logProbs", array::<Float64Array, _>(&scored.log_probs)),
                ("logsumexps", array::<Float64Array, _>(&scored.logsumexps)),
            ]))
        })
    }

    /// The first k of each race.
    ///
    /// # Errors
    /// As above.
    pub fn race(&self, rows: &Rows, call: &Call, k: usize) -> Result<JsValue, JsError> {
        let (sampler, rows, call) = (Rc::clone(&self.sampler), rows.clone(), call.clone());
        outcome(async move {
            let top_k = sampler.race_rows_async(rows.batch()?, &call.options(), k).await?;
            let of = |numbers: Vec<f64>| array::<Float64Array, _>(&numbers);
            Ok(object([
                ("categories", array::<Uint32Array, _>(top_k.categories())),
                ("perturbedLogits", of(top_k.perturbed_logits().collect())),
                ("times", of(top_k.times().collect())),
            ]))
        })
    }

    /// The logarithm of each row's sum.
    ///
    /// # Errors
    /// As above.
    pub fn logsumexp(&self, rows: &Rows, call: &Call) -> Result<JsValue, JsError> {
        let (sampler, rows, call) = (Rc::clone(&self.sampler), rows.clone(), call.clone());
        outcome(async move {
            let sums = sampler.logsumexp_rows_async(rows.batch()?, &call.options()).await?;
            Ok(array::<Float64Array, _>(&sums))
        })
    }

    /// Estimates of the logarithm of each row's sum.
    ///
    /// # Errors
    /// As above.
    #[wasm_bindgen(js_name = estimateLogZ)]
    pub fn estimate_log_z(&self, rows: &Rows, call: &Call) -> Result<JsValue, JsError> {
        let (sampler, rows, call) = (Rc::clone(&self.sampler), rows.clone(), call.clone());
        outcome(async move {
            let all = sampler.estimate_log_z_async(rows.batch()?, &call.options()).await?;
            let estimates: Vec<_> = all.iter().map(|one| one.estimate).collect();
            let errors: Vec<_> = all.iter().map(|one| one.standard_error).collect();
            Ok(object([
                ("estimates", array::<Float64Array, _>(&estimates)),
                ("standardErrors", array::<Float64Array, _>(&errors)),
            ]))
        })
    }

    /// Where each row is cut.
    ///
    /// # Errors
    /// As above.
    pub fn cuts(&self, rows: &Rows, call: &Call) -> Result<JsValue, JsError> {
        let cuts = rows.batch().and_then(|batch| self.sampler.cut_rows(batch, &call.options()));
        let cuts = cuts.map_err(|error| to_js(&error))?;
        let thresholds: Vec<_> = cuts.iter().map(|cut| cut.threshold).collect();
        let kept: Vec<_> = cuts.iter().map(|cut| cut.kept).collect();
        let shares: Vec<_> = cuts.iter().map(|cut| cut.share).collect();
        Ok(object([
            ("thresholds", array::<Float64Array, _>(&thresholds)),
            ("kept", array::<Uint32Array, _>(&kept)),
            ("shares", array::<Float64Array, _>(&shares)),
        ]))
    }

    /// Soft samples.
    ///
    /// # Errors
    /// As above.
    pub fn soften(
        &self,
        rows: &Rows,
        call: &Call,
        tau: f32,
        hard: bool,
    ) -> Result<JsValue, JsError> {
        let (sampler, rows, call) = (Rc::clone(&self.sampler), rows.clone(), call.clone());
        let relaxation = Relaxation::soft(tau).with_hard(hard);
        outcome(async move {
            let samples =
                sampler.soften_rows_async(rows.logits()?, &call.options(), relaxation).await?;
            Ok(array::<Float32Array, _>(&samples))
        })
    }

    /// Gradients of logits from the cotangents of soft samples.
    ///
    /// # Errors
    /// As above.
    #[wasm_bindgen(js_name = softenVjp)]
    pub fn soften_vjp(
        &self,
        rows: &Rows,
        call: &Call,
        tau: f32,
        cotangents: &Memory,
    ) -> Result<JsValue, JsError> {
        let (sampler, rows, call) = (Rc::clone(&self.sampler), rows.clone(), call.clone());
        let (relaxation, cotangents) = (Relaxation::soft(tau), cotangents.clone());
        outcome(async move {
            let gradients = sampler
                .soften_rows_vjp_async(
                    rows.logits()?,
                    &call.options(),
                    relaxation,
                    cotangents.numbers(),
                )
                .await?;
            Ok(array::<Float32Array, _>(&gradients))
        })
    }

    /// Rows that are added up once.
    ///
    /// # Errors
    /// As above.
    #[wasm_bindgen(js_name = inverseCdf)]
    pub fn inverse_cdf(&self, rows: &Rows, call: &Call) -> Result<JsValue, JsError> {
        let (sampler, rows, call) = (Rc::clone(&self.sampler), rows.clone(), call.clone());
        outcome(async move {
            sampler.inverse_cdf_async(rows.batch()?, &call.options()).await.map(Table::from)
        })
    }
}

impl Engine {
    fn of(sampler: impl Into<Sampler>) -> Self {
        Self { sampler: Rc::new(sampler.into()) }
    }
}
