//! What is left of an output that is not finished: nothing, whatever ended the command.

#![cfg(unix)]

use crate::common::{check_refused as check, ended_by, f32s, gumbel, run_with};
use tempfile::tempdir;

/// A pipe that two outputs would share, and one that is standard output as well.
#[test]
fn two_outputs_are_never_mixed() {
    let directory = tempdir().unwrap();
    let rows = f32s("(2, 3)", &[0.0; 6]);
    let fifo = directory.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    // somebody reads it, so that it can be opened
    let reader = std::fs::File::options().read(true).write(true).open(&fifo).unwrap();
    let mut command = gumbel(&["sample", "-", "--engine", "cpu", "--with", "max"]);
    command.args(["-o", "fifo", "--with-output", "./fifo"]).current_dir(directory.path());
    check(&run_with(command, &rows), "--output and --with-output are the same file");
    drop(reader);
    let mut command = gumbel(&["sample", "-", "--engine", "cpu", "--with", "max"]);
    command.args(["-o", "/dev/null", "--with-output", "/dev/null"]);
    assert!(run_with(command, &rows).status.success());
}

/// A file that becomes larger than the user's limit: one line, and nothing is left.
#[test]
fn a_file_above_the_limit_is_refused() {
    let directory = tempdir().unwrap();
    std::fs::write(directory.path().join("in.npy"), f32s("(100000, 1)", &[0.0; 100_000])).unwrap();
    let shell = format!("ulimit -f 10; {} sample in.npy -o x.npy", env!("CARGO_BIN_EXE_gumbel"));
    let mut command = std::process::Command::new("bash");
    let output = command.args(["-c", &shell]).current_dir(directory.path()).output().unwrap();
    check(&output, "cannot write x.npy: File too large");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn an_interrupted_command_leaves_no_file_and_ends_by_the_signal() {
    use std::io::Write;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Stdio;

    let rows = f32s("(1000000, 1)", &[0.0; 1_000_000]);
    let with = &["--with", "time", "--with-output", "v.npy"][..];
    for (name, number, more) in [
        ("INT", 2, &[][..]),
        ("TERM", 15, &[]),
        ("HUP", 1, &[]),
        ("QUIT", 3, &[]),
        ("INT", 2, with),
        // where a file can be without a name, even this leaves nothing
        ("KILL", 9, with),
    ] {
        let directory = tempdir().unwrap();
        std::fs::write(directory.path().join("out.npy"), "precious").unwrap();
        let mut command = gumbel(&["sample", "-", "--engine", "cpu", "--chunk", "1000"]);
        command.args(["-o", "out.npy"]).args(more);
        command.current_dir(directory.path()).stdin(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        // the command waits for the rest of the input, which never comes; what has been taken from the pipe is being
        // drawn from
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&rows[..2_000_000]).unwrap();
        assert!(child.try_wait().unwrap().is_none(), "it has ended by itself");
        let named = std::fs::read_dir(directory.path()).unwrap().count() > 1;
        assert_eq!(ended_by(name, child).signal(), Some(number));
        drop(stdin);
        let left = std::fs::read_dir(directory.path()).unwrap().count();
        assert!(left == 1 || (name == "KILL" && named), "{name} leaves something");
        assert_eq!(std::fs::read(directory.path().join("out.npy")).unwrap(), b"precious");
    }
}
