//! Why a file cannot be read: Python gets OSError or ValueError, always with its name.

use std::io;
use std::panic::{catch_unwind, AssertUnwindSafe};

use arrow_schema::ArrowError;
use parquet::errors::ParquetError;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

pub enum Refused {
    Io(io::Error),
    Form(String),
}

impl Refused {
    /// A file of a table and why it cannot be read, in one sentence.
    pub fn told(self, path: &str) -> String {
        match self {
            Refused::Io(error) => format!("{path}: {error}"),
            Refused::Form(reason) => format!("{path}: {reason}"),
        }
    }

    pub fn raised(self, path: &str) -> PyErr {
        match self {
            Refused::Io(error) => os_error(path, &error),
            Refused::Form(reason) => PyValueError::new_err(format!("{path}: {reason}")),
        }
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Refused::Io(error)
    }
}

impl From<ArrowError> for Refused {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, error) => Refused::Io(error),
            ArrowError::ExternalError(error) => match error.downcast::<io::Error>() {
                Ok(error) => Refused::Io(*error),
                Err(error) => Refused::Form(error.to_string()),
            },
            error => Refused::Form(error.to_string()),
        }
    }
}

impl From<ParquetError> for Refused {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(error) => match error.downcast::<io::Error>() {
                Ok(error) => Refused::Io(*error),
                Err(error) => {
                    Refused::Form(format!("not a Parquet file that can be read: {error}"))
                }
            },
            ParquetError::General(reason) | ParquetError::EOF(reason) => {
                Refused::Form(format!("not a Parquet file that can be read: {reason}"))
            }
            error => Refused::Form(format!("not a Parquet file that can be read: {error}")),
        }
    }
}

/// An I/O error as Python's OSError (with its subclasses), file name and all.
pub fn os_error(path: &str, error: &io::Error) -> PyErr {
    let text = error.to_string();
    let reason = text
        .split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned();
    match error.raw_os_error() {
        Some(code) => PyOSError::new_err((code, reason, path.to_owned())),
        // EISDIR, which Rust has a name but no number for; EIO for what the system did not say (damaged gzip).
        None if error.kind() == io::ErrorKind::IsADirectory => {
            PyOSError::new_err((21, "Is a directory", path.to_owned()))
        }
        None => PyOSError::new_err((5, reason, path.to_owned())),
    }
}

/// Run code over bytes from strangers in libraries that may give up: Parquet's does, on some damaged files.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, Refused>) -> Result<T, Refused> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let gave_up = "the file is damaged in a way the decoder cannot handle";
        Err(Refused::Form(gave_up.to_owned()))
    })
}
