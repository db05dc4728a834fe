//! Files that appear under their name when they are complete.

use std::fs::{File, OpenOptions, remove_file, rename};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::WeightsError;
use crate::error::About;

/// A file under a name of its own beside the one it is to have. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Beside {
    path: PathBuf,
    temporary: Option<PathBuf>,
}

impl Beside {
    /// Makes a file in the directory of `path`, which need not exist, and opens it.
    pub fn create(path: &Path) -> Result<(Self, File), WeightsError> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let (process, number) = (std::process::id(), NEXT.fetch_add(1, Relaxed));
        let temporary = path.with_file_name(format!(".{name}.{process}-{number}.part"));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&temporary)
            .about(path)?;
        let this = Self {
            path: path.to_owned(),
            temporary: Some(temporary),
        };
        Ok((this, file))
    }

    /// Gives the file, of which everything has been written, its name.
    pub fn commit(mut self, file: &File) -> Result<(), WeightsError> {
        file.sync_all().about(&self.path)?;
        if let Some(temporary) = &self.temporary {
            rename(temporary, &self.path).about(&self.path)?;
        }
        self.temporary = None;
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // Nothing else can be done about one that stays.
            let _ = remove_file(temporary);
        }
    }
}
