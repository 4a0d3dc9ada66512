//! The engines of this process: threads for the CPU, and GPUs, opened when they are first needed.
//!
//! Neither threads nor devices survive a fork. A forked process lets go of what it inherited, without touching it, and
//! begins anew: with threads of its own, and on the CPU where the choice of the engine is left to us, since drivers do
//! not expect to be asked again in a forked process. Draws are the same on all engines.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use gumbel::{CpuSampler, Error, Sampler};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// A lock that a forked process leaves behind instead of waiting for it: who holds it may be a thread that is not there.
type Slot = Mutex<Option<Arc<Engines>>>;

static ENGINES: AtomicPtr<Slot> = AtomicPtr::new(std::ptr::null_mut());
/// The number of threads asked for; 0 if it is left to rayon, which takes all cores or `RAYON_NUM_THREADS`.
static THREADS: AtomicUsize = AtomicUsize::new(0);
/// Whether this process was forked from one that had engines.
static FORKED: AtomicBool = AtomicBool::new(false);
/// Whether this process, or one that it was forked from, asked the drivers of devices for anything.
static ASKED: AtomicBool = AtomicBool::new(false);
/// Whether this process was forked from one that had asked them.
static FORKED_WITH_DRIVERS: AtomicBool = AtomicBool::new(false);

/// The engines of a process.
pub(crate) struct Engines {
    pool: Arc<ThreadPool>,
    cpu: Sampler,
    /// By the names by which they were asked for.
    gpus: Mutex<HashMap<String, Sampler>>,
}

/// A sampler, and the threads that help it.
pub(crate) struct Engine {
    pub(crate) sampler: Sampler,
    pool: Arc<ThreadPool>,
}

impl Engine {
    /// Runs work that may ask for the current pool. The CPU engine has its pool already, and starts it for large calls
    /// alone.
    pub(crate) fn run<R: Send>(&self, work: impl FnOnce(&Sampler) -> R + Send) -> R {
        if self.has_gpu() { self.pool.install(|| work(&self.sampler)) } else { work(&self.sampler) }
    }

    /// Whether calls may go to a GPU.
    pub(crate) fn has_gpu(&self) -> bool {
        has_gpu(&self.sampler)
    }

    /// Runs work on the threads.
    pub(crate) fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.install(work)
    }
}

fn has_gpu(sampler: &Sampler) -> bool {
    #[cfg(feature = "gpu")]
    return sampler.as_gpu().is_some();
    #[cfg(not(feature = "gpu"))]
    {
        let _ = sampler;
        false
    }
}

/// The engines of this process.
pub(crate) fn engines() -> PyResult<Arc<Engines>> {
    let mut held = lock(slot());
    if let Some(engines) = &*held {
        return Ok(engines.clone());
    }
    let engines = Arc::new(Engines::new(THREADS.load(Ordering::Relaxed))?);
    *held = Some(engines.clone());
    Ok(engines)
}

/// Sets the number of threads of the calls to come; 0 for all cores.
pub(crate) fn set_threads(threads: usize) -> PyResult<()> {
    // begun before anything is changed, as there may be too few threads to be had
    let engines = Engines::new(threads)?;
    THREADS.store(threads, Ordering::Relaxed);
    let mut held = lock(slot());
    if let Some(before) = held.take() {
        *lock(&engines.gpus) = std::mem::take(&mut *lock(&before.gpus));
    }
    *held = Some(Arc::new(engines));
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[allow(
    unsafe_code,
    reason = "a value that lives as long as the process, and that a fork replaces"
)]
fn slot() -> &'static Slot {
    watch_forks();
    let mut held = ENGINES.load(Ordering::Acquire);
    if held.is_null() {
        let new = Box::into_raw(Box::new(Mutex::new(None)));
        match ENGINES.compare_exchange(held, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => held = new,
            Err(other) => {
                // SAFETY: nobody else has seen `new`
                drop(unsafe { Box::from_raw(new) });
                held = other;
            }
        }
    }
    // SAFETY: what is in ENGINES came from a box and is never freed
    unsafe { &*held }
}

/// Sees to it that a forked process begins anew.
#[allow(unsafe_code, reason = "an interface of C")]
fn watch_forks() {
    #[cfg(unix)]
    {
        extern "C" fn in_child() {
            // stores to atomics, which are all that may be done here: other threads may have held any lock
            if !ENGINES.swap(std::ptr::null_mut(), Ordering::AcqRel).is_null() {
                FORKED.store(true, Ordering::Release);
            }
            if ASKED.load(Ordering::Acquire) {
                FORKED_WITH_DRIVERS.store(true, Ordering::Release);
            }
        }
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // SAFETY: the handler only stores to atomics. (Without memory for it a fork goes unnoticed.)
            unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        });
    }
}

/// Notes that drivers are about to be asked.
#[cfg(feature = "gpu")]
fn ask_drivers() {
    watch_forks();
    ASKED.store(true, Ordering::Release);
}

/// Refuses a device whose driver another process has been asked by: this one was forked from it, and would wait for the
/// driver's threads, which it does not have. "auto" draws on the CPU then.
pub(crate) fn check_device(device: &str) -> PyResult<()> {
    if matches!(device, "cpu" | "auto") || !FORKED_WITH_DRIVERS.load(Ordering::Acquire) {
        return Ok(());
    }
    Err(PyRuntimeError::new_err(format!(
        "device={device:?}: this process was forked from one that had asked the drivers of devices, and they work in \
         the first alone; draw with device=\"cpu\" or \"auto\", or start processes by \"spawn\" or \"forkserver\""
    )))
}

impl Engines {
    fn new(threads: usize) -> PyResult<Self> {
        let named = |i| format!("gumbelmax-{i}");
        let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(named).build();
        let pool = pool.map_err(|error| PyRuntimeError::new_err(format!("no threads: {error}")))?;
        let pool = Arc::new(pool);
        let cpu = CpuSampler::new().with_pool(pool.clone()).into();
        Ok(Self { pool, cpu, gpus: Mutex::default() })
    }

    /// The number of threads.
    pub(crate) fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// The engine for a call on `work` logits, counted once for each draw. Opens a device if it is the first call there.
    pub(crate) fn engine(&self, device: &str, work: u64) -> Result<Engine, Error> {
        let sampler = match device {
            "cpu" => self.cpu.clone(),
            "auto" => self.auto(work),
            name => self.gpu(name)?,
        };
        Ok(Engine { sampler, pool: self.pool.clone() })
    }

    /// An engine on the CPU whose tables take the threads that are current when they are drawn from: the tables may
    /// outlive a fork, and the threads of this process do not.
    pub(crate) fn without_pool(&self, engine: Engine) -> Engine {
        if engine.has_gpu() {
            return engine;
        }
        Engine { sampler: CpuSampler::new().into(), ..engine }
    }

    #[cfg(not(feature = "gpu"))]
    fn auto(&self, _: u64) -> Sampler {
        self.cpu.clone()
    }

    #[cfg(not(feature = "gpu"))]
    fn gpu(&self, name: &str) -> Result<Sampler, Error> {
        let wanted = format!("{name:?}: this build of gumbelmax draws on the CPU alone");
        Err(Error::NoAdapter { wanted, found: Vec::new() })
    }

    #[cfg(feature = "gpu")]
    fn auto(&self, work: u64) -> Sampler {
        let forked = FORKED.load(Ordering::Acquire) || FORKED_WITH_DRIVERS.load(Ordering::Acquire);
        if work < Sampler::GPU_FROM || forked {
            return self.cpu.clone();
        }
        ask_drivers();
        let mut gpus = lock(&self.gpus);
        if let Some(sampler) = gpus.get("auto") {
            return sampler.clone();
        }
        let auto = Sampler::auto();
        let cpu = CpuSampler::new().with_pool(self.pool.clone());
        let sampler = match auto.as_gpu() {
            Some(gpu) => Sampler::with_engines(cpu, gpu.clone()),
            None => cpu.into(),
        };
        gpus.insert("auto".to_owned(), sampler.clone());
        sampler
    }

    #[cfg(feature = "gpu")]
    fn gpu(&self, name: &str) -> Result<Sampler, Error> {
        use gumbel::GpuSampler;
        let mut gpus = lock(&self.gpus);
        if let Some(sampler) = gpus.get(name) {
            return Ok(sampler.clone());
        }
        ask_drivers();
        let sampler: Sampler = match name {
            "gpu" => GpuSampler::new()?.into(),
            name => GpuSampler::builder().with_adapter(name).build()?.into(),
        };
        gpus.insert(name.to_owned(), sampler.clone());
        Ok(sampler)
    }
}

/// The names of the devices of this machine that gumbel can draw on: "cpu", and the adapters.
pub(crate) fn devices() -> Vec<String> {
    let cpu = std::iter::once("cpu".to_owned());
    #[cfg(feature = "gpu")]
    let gpus = {
        ask_drivers();
        let usable = gumbel::adapters(gumbel::wgpu::Backends::all());
        usable.into_iter().filter(|report| report.obstacle.is_none()).map(|report| report.info.name)
    };
    #[cfg(not(feature = "gpu"))]
    let gpus = std::iter::empty();
    let mut names: Vec<String> = cpu.chain(gpus).collect();
    // one device may have several drivers
    names.dedup();
    names
}
