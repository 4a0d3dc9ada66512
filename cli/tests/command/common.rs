//! Runs the command, and makes and reads .npy files without its help.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use npyz::WriterBuilder;

/// Returns the command with these arguments.
pub(crate) fn gumbel(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gumbel"));
    command.args(args).stdin(Stdio::null());
    // without it some drivers write a line of their own to standard error
    command.env("XDG_RUNTIME_DIR", std::env::temp_dir());
    command
}

/// Runs `gumbel sample INPUT --engine cpu` with more arguments.
pub(crate) fn sample(input: &Path, args: &[&str]) -> Output {
    gumbel(&["sample", "--engine", "cpu"]).arg(input).args(args).output().unwrap()
}

/// Runs a command with `input` on its standard input.
pub(crate) fn run_with(mut command: Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // the command may refuse its input before it has read all
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// Returns the standard output of a command, which must succeed.
pub(crate) fn stdout(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Returns a header as numpy writes it.
pub(crate) fn header(descr: &str, order: &str, shape: &str) -> Vec<u8> {
    raw_header(&format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"))
}

/// A header with any text.
pub(crate) fn raw_header(text: &str) -> Vec<u8> {
    let padded = (10 + text.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((padded as u16).to_le_bytes());
    bytes.extend(format!("{text:width$}\n", width = padded - 1).bytes());
    bytes
}

/// A file of f32.
pub(crate) fn f32s(shape: &str, values: &[f32]) -> Vec<u8> {
    let mut bytes = header("'<f4'", "False", shape);
    bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

/// Writes a .npy file with npyz, in the type `descr`.
pub(crate) fn write_npy<T: npyz::Serialize>(
    directory: &Path,
    descr: &str,
    shape: &[u64],
    values: impl IntoIterator<Item = T>,
) -> PathBuf {
    let path = directory.join("in.npy");
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::new()
        .dtype(npyz::DType::Plain(descr.parse().unwrap()))
        .shape(shape)
        .writer(&mut bytes)
        .begin_nd()
        .unwrap();
    writer.extend(values).unwrap();
    writer.finish().unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A .npy file of f32.
pub(crate) fn write_f32(directory: &Path, shape: &[u64], values: &[f32]) -> PathBuf {
    write_npy(directory, "<f4", shape, values.iter().copied())
}

/// Shape and values of a .npy file of u32.
pub(crate) fn read_u32(bytes: &[u8]) -> (Vec<u64>, Vec<u32>) {
    let npy = npyz::NpyFile::new(bytes).unwrap();
    assert_eq!(npy.dtype().descr(), "'<u4'");
    assert_eq!(npy.order(), npyz::Order::C);
    (npy.shape().to_vec(), npy.into_vec().unwrap())
}

/// Shape and values of a .npy file of f32.
pub(crate) fn read_f32(bytes: &[u8]) -> (Vec<u64>, Vec<f32>) {
    let npy = npyz::NpyFile::new(bytes).unwrap();
    assert_eq!(npy.dtype().descr(), "'<f4'");
    assert_eq!(npy.order(), npyz::Order::C);
    (npy.shape().to_vec(), npy.into_vec().unwrap())
}

/// Shape and values of a .npy file of f64.
pub(crate) fn read_f64(bytes: &[u8]) -> (Vec<u64>, Vec<f64>) {
    let npy = npyz::NpyFile::new(bytes).unwrap();
    assert_eq!(npy.dtype().descr(), "'<f8'");
    assert_eq!(npy.order(), npyz::Order::C);
    (npy.shape().to_vec(), npy.into_vec().unwrap())
}

/// Checks that a refused command says why in one line, which contains `why`.
#[track_caller]
pub(crate) fn check_refused(output: &Output, why: &str) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(output.stdout.is_empty());
    assert!(message.starts_with("gumbel: ") && message.ends_with('\n'), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(message.contains(why), "{message:?} does not contain {why:?}");
}

/// Some logits that f16 holds exactly.
pub(crate) fn logits(count: usize) -> Vec<f32> {
    (0..count as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 25) as f32 / 16.0).collect()
}

/// Sends a signal to a command, and returns how the command ended. It has a minute for that: whoever starts the tests in the
/// background may have SIGINT ignored, and then the command ignores it too.
#[cfg(unix)]
#[track_caller]
pub(crate) fn ended_by(signal: &str, mut child: std::process::Child) -> std::process::ExitStatus {
    use std::time::{Duration, Instant};

    let pid = child.id().to_string();
    let kill = std::process::Command::new("kill").args(["-s", signal, &pid]).status().unwrap();
    assert!(kill.success());
    let begun = Instant::now();
    let mut ended = None;
    while ended.is_none() && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(2));
        ended = child.try_wait().unwrap();
    }
    if ended.is_none() {
        child.kill().unwrap();
    }
    assert!(
        ended.is_some(),
        "a minute after SIG{signal} the command has not ended: is it ignored?"
    );
    ended.unwrap()
}
