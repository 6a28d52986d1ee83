//! The list of documents: a line for each, in the order of their keys, read and written a line at a time.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Lines, Write};
use std::path::Path;

use anyhow::{Context, bail};
use repository::backup::Listed;

/// What the backup has of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Octets,
    /// It was removed while the backup was taken; the dump does not know that yet.
    Removed,
    /// Its octets are missing or damaged where they were to be copied from.
    Lost,
}

const STATES: [(&str, Kept); 3] = [("kept", Kept::Octets), ("removed", Kept::Removed), ("lost", Kept::Lost)];

pub struct Writer(BufWriter<File>);

impl Writer {
    /// The file must not be there.
    pub fn create(path: &Path) -> anyhow::Result<Writer> {
        let file = File::create_new(path).with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Writer(BufWriter::new(file)))
    }

    pub fn add(&mut self, document: &Listed, kept: Kept) -> anyhow::Result<()> {
        let state = STATES.iter().find(|(_, known)| *known == kept).map_or("", |(name, _)| name);
        let Listed { blob, size, sha256 } = document;
        Ok(writeln!(self.0, "{blob} {size} {sha256} {state}")?)
    }

    /// On disk when this returns.
    pub fn finish(self) -> anyhow::Result<()> {
        Ok(self.0.into_inner()?.sync_all()?)
    }
}

/// The documents of a list.
pub struct Reader(Lines<BufReader<File>>);

impl Reader {
    pub fn open(path: &Path) -> anyhow::Result<Reader> {
        let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
        Ok(Reader(BufReader::new(file).lines()))
    }
}

impl Iterator for Reader {
    type Item = anyhow::Result<(Listed, Kept)>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.0.next()?;
        Some(line.map_err(Into::into).and_then(|line| read(&line)))
    }
}

fn read(line: &str) -> anyhow::Result<(Listed, Kept)> {
    let words: Vec<&str> = line.split(' ').collect();
    if let [blob, size, sha256, state] = words.as_slice()
        && let Ok(size) = size.parse()
        && let Some((_, kept)) = STATES.iter().find(|(name, _)| name == state)
    {
        let listed = Listed { blob: (*blob).to_owned(), size, sha256: (*sha256).to_owned() };
        return Ok((listed, *kept));
    }
    bail!("the list of documents has a line that is none: {line}")
}
