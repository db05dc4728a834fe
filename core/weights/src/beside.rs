//! Files that appear under their name when they are complete.

use std::fs::{File, OpenOptions, remove_file, rename};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::error::About;
use crate::{Watch, WeightsError};

/// Characters of a file's name that its name until then begins with.
const KNOWN: usize = 32;

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
        if path.is_dir() {
            return Err("expected a file but found a directory".to_owned()).about(path);
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // A name may be as long as the system allows.
        let known: String = name.chars().take(KNOWN).collect();
        let process = std::process::id();
        let (temporary, file) = loop {
            let number = NEXT.fetch_add(1, Relaxed);
            let temporary = path.with_file_name(format!(".{known}.{process}-{number}.part"));
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .open(&temporary);
            match file {
                // Left by a process of this number that was killed.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                file => break (temporary, file.about(path)?),
            }
        };
        let this = Self {
            path: path.to_owned(),
            temporary: Some(temporary),
        };
        Ok((this, file))
    }

    /// Gives the file, of which everything has been written, its name, unless the run was asked to stop.
    pub fn commit(mut self, file: &File, watch: &Watch) -> Result<(), WeightsError> {
        watch.check()?;
        file.sync_all().about(&self.path)?;
        watch.check()?;
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

#[cfg(test)]
mod tests {
    use std::fs::{read, read_dir, write};
    use std::io::Write;

    use bowstring_quantize::QuantizeError;

    use super::{Beside, Watch, WeightsError};

    #[test]
    fn a_file_whose_run_was_stopped_gets_no_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out");
        write(&path, "before").unwrap();
        let watch = Watch::default();
        for (text, is_stopped) in [("after", false), ("later", true)] {
            let (beside, mut file) = Beside::create(&path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            if is_stopped {
                watch.cancel();
                let error = beside.commit(&file, &watch).unwrap_err();
                assert!(matches!(
                    error,
                    WeightsError::Quantize(QuantizeError::Cancelled)
                ));
            } else {
                beside.commit(&file, &watch).unwrap();
            }
            assert_eq!(read(&path).unwrap(), b"after");
            assert_eq!(read_dir(directory.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn names_that_are_taken_are_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        let long = "x".repeat(255);
        let process = std::process::id();
        let taken = (0..1000).map(|number| format!(".{}.{process}-{number}.part", &long[..32]));
        for name in taken {
            write(directory.path().join(name), "").unwrap();
        }
        // As long as a name may be.
        let path = directory.path().join(&long);
        let (beside, file) = Beside::create(&path).unwrap();
        beside.commit(&file, &Watch::default()).unwrap();
        assert!(path.exists());
    }
}
