//! A disk in memory that fails, crashes and forgets where it is told to.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use notafter::announce::{PinStorage, StateFile};

/// What goes wrong at the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// This step alone fails, as on a full disk; a write leaves half of the bytes.
    Error,
    /// The power fails before this step; what was written stays as it is.
    Crash,
    /// The power fails before this step; what was not made sure is gone or torn.
    CrashAndForget,
    /// From this step on nothing can be written.
    Full,
}

#[derive(Debug, Clone, Default)]
struct Files {
    kept: HashMap<StateFile, Bytes>,
    new: HashMap<StateFile, Bytes>,
    /// What stood there before renames that the folder has not been synced after.
    unsure: Vec<(StateFile, Option<Bytes>)>,
}

#[derive(Debug, Clone)]
struct Bytes {
    bytes: Vec<u8>,
    synced: bool,
}

#[derive(Debug, Default)]
pub struct Disk {
    files: Mutex<Files>,
    fault: Option<(usize, Fault)>,
    steps: Mutex<usize>,
    unreadable: AtomicBool,
}

impl Disk {
    pub fn new() -> Self {
        Self::default()
    }

    /// The same files, with a fault at the n-th step that changes something (from 0).
    pub fn with_fault(&self, step: usize, fault: Fault) -> Self {
        Self {
            files: Mutex::new(self.files().clone()),
            fault: Some((step, fault)),
            ..Self::default()
        }
    }

    /// What the next process finds.
    pub fn after_restart(&self) -> Self {
        let mut files = self.files().clone();
        let reached = self.steps();
        match self.fault {
            Some((step, Fault::CrashAndForget)) if reached > step => {
                while let Some((file, before)) = files.unsure.pop() {
                    match before {
                        Some(before) => drop(files.kept.insert(file, before)),
                        None => drop(files.kept.remove(&file)),
                    }
                }
                for torn in files.kept.values_mut().filter(|bytes| !bytes.synced) {
                    torn.bytes.truncate(torn.bytes.len() / 2);
                }
            }
            _ => {}
        }
        files.unsure.clear();
        Self {
            files: Mutex::new(files),
            ..Self::default()
        }
    }

    /// Whether reading fails.
    pub fn set_unreadable(&self, unreadable: bool) {
        self.unreadable.store(unreadable, Ordering::Relaxed);
    }

    /// How many steps were tried.
    pub fn steps(&self) -> usize {
        *self.steps.lock().unwrap()
    }

    pub fn get(&self, file: StateFile) -> Option<Vec<u8>> {
        self.files()
            .kept
            .get(&file)
            .map(|bytes| bytes.bytes.clone())
    }

    pub fn put(&self, file: StateFile, bytes: Option<Vec<u8>>) {
        match bytes {
            Some(bytes) => {
                let synced = true;
                self.files().kept.insert(file, Bytes { bytes, synced });
            }
            None => drop(self.files().kept.remove(&file)),
        }
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap()
    }

    fn step(&self) -> Result<(), Fault> {
        let mut steps = self.steps.lock().unwrap();
        let this = *steps;
        *steps += 1;
        match self.fault {
            Some((step, Fault::Error)) if this == step => Err(Fault::Error),
            Some((_, Fault::Error)) | None => Ok(()),
            Some((step, fault)) if this >= step => Err(fault),
            Some(_) => Ok(()),
        }
    }
}

fn full() -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, "no space left on device")
}

impl PinStorage for Disk {
    fn read(&self, file: StateFile) -> io::Result<Option<Vec<u8>>> {
        if self.unreadable.load(Ordering::Relaxed) {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied));
        }
        Ok(self.get(file))
    }

    fn write_new(&self, file: StateFile, bytes: &[u8]) -> io::Result<()> {
        let fault = self.step();
        let written = match fault {
            Ok(()) => bytes,
            Err(Fault::Error) => &bytes[..bytes.len() / 2],
            Err(_) => return Err(full()),
        };
        let (bytes, synced) = (written.to_vec(), false);
        self.files().new.insert(file, Bytes { bytes, synced });
        fault.map_err(|_| full())
    }

    fn sync_new(&self, file: StateFile) -> io::Result<()> {
        self.step().map_err(|_| full())?;
        let mut files = self.files();
        let new = files.new.get_mut(&file).ok_or_else(full)?;
        new.synced = true;
        Ok(())
    }

    fn rename_new(&self, file: StateFile) -> io::Result<()> {
        self.step().map_err(|_| full())?;
        let mut files = self.files();
        let new = files.new.remove(&file).ok_or_else(full)?;
        let before = files.kept.insert(file, new);
        files.unsure.push((file, before));
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.step().map_err(|_| full())?;
        self.files().unsure.clear();
        Ok(())
    }
}
