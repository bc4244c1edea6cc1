//! Text files in blocks: what the CSV and JSON lines readers take their lines from.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

/// Bytes read at once of a file that is read to its end.
pub const BLOCK: usize = 1 << 20;
/// The longest line or record: memory stays bounded whatever a file holds.
pub const LONGEST: usize = 64 << 20;

/// A source that counts the bytes taken from it.
struct Counted {
    source: Box<dyn Read + Send>,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(into)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// A window on a file that moves forward.
pub struct Blocks {
    source: Box<dyn Read + Send>,
    data: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    count: Arc<AtomicU64>,
    /// Bytes read at once.
    block: usize,
}

impl Blocks {
    /// A file (or standard input) in blocks of this size, unpacked if it is gzip, without a byte order mark.
    pub fn open(file: Source, block: usize) -> io::Result<Blocks> {
        let count = Arc::new(AtomicU64::new(0));
        let source: Box<dyn Read + Send> = match file {
            Source::File(file) => Box::new(file),
            Source::Stdin => Box::new(io::stdin()),
        };
        let counted = Counted {
            source,
            count: count.clone(),
        };
        let mut blocks = Blocks {
            source: Box::new(counted),
            data: Vec::new(),
            start: 0,
            end: 0,
            ended: false,
            count,
            block,
        };
        blocks.fill()?;
        // No text begins with these two bytes: the second cannot begin a character.
        if blocks.rest().starts_with(&[0x1F, 0x8B]) {
            let head = io::Cursor::new(blocks.rest().to_vec());
            let packed = head.chain(std::mem::replace(&mut blocks.source, Box::new(io::empty())));
            blocks.source = Box::new(MultiGzDecoder::new(packed));
            (blocks.start, blocks.end, blocks.ended) = (0, 0, false);
            blocks.fill()?;
        }
        if blocks.rest().starts_with("\u{FEFF}".as_bytes()) {
            blocks.consume("\u{FEFF}".len());
        }
        Ok(blocks)
    }

    /// What has been read and not consumed.
    pub fn rest(&self) -> &[u8] {
        &self.data[self.start..self.end]
    }

    /// Whether `rest` is all that is left.
    pub fn ended(&self) -> bool {
        self.ended
    }

    pub fn consume(&mut self, count: usize) {
        self.start += count;
    }

    /// Bytes of the file taken so far, packed ones if it is packed.
    pub fn taken(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Read on, at least as much as is held already, so that a long line costs no more than twice its length.
    pub fn fill(&mut self) -> io::Result<()> {
        self.data.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let doubled = self.end + self.end.max(self.block);
        let wanted = doubled.min(LONGEST + self.block).max(self.end + self.block);
        if self.data.len() < wanted {
            self.data.resize(wanted, 0);
        }
        while !self.ended && self.end < self.data.len() {
            match self.source.read(&mut self.data[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end += read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

/// Where bytes come from.
pub enum Source {
    File(File),
    Stdin,
}

impl Source {
    /// Open a file to read. A directory opens on some systems and fails at the first read: it is refused here.
    pub fn open(path: &str) -> io::Result<Source> {
        if path == "-" {
            return Ok(Source::Stdin);
        }
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(Source::File(file))
    }

    /// Bytes in it, if it is a regular file.
    pub fn size(&self) -> Option<u64> {
        match self {
            Source::File(file) => file
                .metadata()
                .ok()
                .filter(|m| m.is_file())
                .map(|m| m.len()),
            Source::Stdin => None,
        }
    }
}
