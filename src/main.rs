//! The program `pgrehearse`.

fn main() -> std::process::ExitCode {
    pgrehearse::run()
}
