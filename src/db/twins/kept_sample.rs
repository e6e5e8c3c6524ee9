//! A sample that waits for another twin: in a file without a name, because many take more memory than
//! all the rest.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek, Write};

use crate::db::DbError;
use crate::twin::snapshot::TableSample;

/// A sample in a file.
pub(super) struct KeptSample(File);

impl KeptSample {
    /// Writes it; the file goes with the value.
    pub(super) fn keep(sample: &TableSample) -> io::Result<KeptSample> {
        let mut file = BufWriter::new(tempfile::tempfile()?);
        serde_json::to_writer(&mut file, sample)?;
        file.flush()?;
        Ok(KeptSample(
            file.into_inner().map_err(|error| error.into_error())?,
        ))
    }

    /// # Errors
    /// When the file cannot be read.
    pub(super) fn read(&self) -> Result<TableSample, DbError> {
        self.read_again().map_err(|error| DbError::Query {
            operation: "reading a sample that was kept",
            message: error.to_string(),
            state: None,
        })
    }

    fn read_again(&self) -> io::Result<TableSample> {
        let mut file = self.0.try_clone()?;
        file.rewind()?;
        Ok(serde_json::from_reader(BufReader::new(file))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_read_as_it_was_as_often_as_it_is_needed() {
        let sample = TableSample {
            relation: 7,
            columns: vec!["name".to_owned(), "at".to_owned()],
            values: vec![
                vec![Some("\u{e4}\n\"x\"".to_owned()), None],
                vec![Some(String::new()), Some("2".to_owned())],
            ],
            rows: 2,
            is_whole: false,
            page_share: Some(0.1),
        };
        let kept = KeptSample::keep(&sample).unwrap();
        assert_eq!(kept.read().unwrap(), sample);
        assert_eq!(kept.read().unwrap(), sample);
    }
}
