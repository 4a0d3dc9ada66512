//! The host: its processor and its memory, as far as the system says.

/// Returns the name of the processor and its number of threads, but not the host's name.
pub(crate) fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split(": ").nth(1)).unwrap_or(std::env::consts::ARCH);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{}, {threads} thread{}", model.trim(), if threads == 1 { "" } else { "s" })
}

/// Returns the bytes of memory that programs can have; `None` if the system does not say.
pub(crate) fn free_memory() -> Option<u64> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("MemAvailable:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib << 10)
}
