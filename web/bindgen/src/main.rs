//! Makes a JavaScript module of a WebAssembly module that was compiled with wasm-bindgen.
//!
//!     gumbel-bindgen MODULE.wasm FOLDER
//!
//! wasm-bindgen's library and its generator must have the same version. The generator is a member of the workspace, so
//! that one lockfile has both, and nobody has to install the right version of a command.

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let (Some(module), Some(folder), None) = (args.next(), args.next(), args.next()) else {
        eprintln!("usage: gumbel-bindgen MODULE.wasm FOLDER");
        return ExitCode::from(2);
    };
    let mut bindgen = Bindgen::new();
    let made = bindgen
        .input_path(module)
        .out_name("module")
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .omit_default_module_path(true)
        .web(true)
        .and_then(|bindgen| bindgen.generate(folder));
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gumbel-bindgen: {error:?}");
            ExitCode::FAILURE
        }
    }
}
