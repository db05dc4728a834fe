//! The library stays mapped once it is loaded.
//!
//! Deno closes a library when the isolate that opened it ends, a worker for instance. Threads that are still on their
//! way out, and release callbacks in other libraries' hands, would then run in unmapped code.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if matches!(target.as_str(), "linux" | "android" | "freebsd") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
