//! The `gumbel` command.
fn main() {}
