//! The migrations are compiled in: a changed SQL file must rebuild this crate.

fn main() {
    println!("cargo::rerun-if-changed=../../schemas/migrations");
}
