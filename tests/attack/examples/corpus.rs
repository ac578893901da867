//! Writes inputs for the targets in `fuzz/`: the recorded scripts as they are, and cases of seeds.

use std::{env, fs, io, path::Path};

use lro_attack::{
    origins,
    readers::{
        case::Case,
        generate::{case, clean_cases},
    },
    recorded::recorded,
    tokens,
};

/// How many seeds each target gets.
const SEEDS: u64 = 2000;

fn main() -> io::Result<()> {
    let folder =
        env::args().nth(1).unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus").to_owned());
    let folder = Path::new(&folder);
    let damaged: Vec<_> = (0..SEEDS).map(|seed| case(seed).0).collect();
    let messages = damaged.iter().map(|bytes| Case::of(bytes));
    let messages = messages.filter(|case| recorded().service(case.service.into()).is_grpc()).map(|case| case.body);
    write(&folder.join("proto"), messages)?;
    write(&folder.join("readers"), clean_cases().map(|case| case.bytes()).chain(damaged.iter().cloned()))?;
    write(&folder.join("tokens"), (0..SEEDS).map(tokens::case))?;
    write(&folder.join("origins"), (0..SEEDS).map(origins::case))
}

fn write(folder: &Path, inputs: impl Iterator<Item = Vec<u8>>) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut count = 0;
    for input in inputs {
        fs::write(folder.join(format!("{count:05}")), input)?;
        count += 1;
    }
    println!("{}: {count} inputs", folder.display());
    Ok(())
}
