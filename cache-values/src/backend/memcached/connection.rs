//! One connection to a server.

use std::io;

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufWriter},
    net::{TcpStream, UnixStream},
};

use super::{
    address::Address,
    answer::{self, Answer, Garbled},
    question::Question,
};

/// The buffer grows by at most so much before more has arrived: what a server announces costs no memory.
const STEP: usize = 64 << 10;

/// A connection on which every question has its answer, or it is not used again.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    buffer: BytesMut,
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A connection that is lost.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error("{0}")]
    Broken(#[from] io::Error),
    #[error("it sent {0}")]
    Garbled(#[from] Garbled),
}

impl Connection {
    pub(super) async fn open(address: &Address) -> io::Result<Self> {
        let stream = match address {
            Address::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Stream::Tcp(stream)
            }
            Address::Unix { path } => Stream::Unix(UnixStream::connect(path).await?),
        };
        Ok(Connection { stream, buffer: BytesMut::new() })
    }

    /// Whether the server has kept it open and silent since it was last used, as far as is known here.
    pub(super) fn is_quiet(&self) -> bool {
        let mut byte = [0];
        let read = match &self.stream {
            Stream::Tcp(stream) => stream.try_read(&mut byte),
            Stream::Unix(stream) => stream.try_read(&mut byte),
        };
        self.buffer.is_empty() && read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Asks all questions at once. As many answers as questions, in their order.
    ///
    /// # Cancel safety
    /// A connection whose call was dropped must not be used again.
    pub(super) async fn ask(
        &mut self,
        questions: &[Question<'_>],
        longest: usize,
    ) -> Result<Vec<Answer>, Lost> {
        let buffer = &mut self.buffer;
        let answers = match &mut self.stream {
            Stream::Tcp(stream) => talk(stream.split(), buffer, questions, longest).await?,
            Stream::Unix(stream) => talk(stream.split(), buffer, questions, longest).await?,
        };
        if buffer.capacity() > 2 * STEP {
            // An idle connection must not hold on to the room of its largest answer.
            *buffer = BytesMut::new();
        }
        Ok(answers)
    }
}

/// Reads while it writes: a server whose answers nobody reads stops reading questions.
async fn talk(
    (mut reader, writer): (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
    buffer: &mut BytesMut,
    questions: &[Question<'_>],
    longest: usize,
) -> Result<Vec<Answer>, Lost> {
    let write = async {
        let mut writer = BufWriter::new(writer);
        for question in questions {
            writer.write_all(question.line().as_bytes()).await?;
            if let Some(bytes) = question.bytes() {
                writer.write_all(bytes).await?;
                writer.write_all(b"\r\n").await?;
            }
        }
        Ok(writer.flush().await?)
    };
    let read = async {
        let mut answers = Vec::with_capacity(questions.len());
        while answers.len() < questions.len() {
            match answer::take(buffer, longest)? {
                Ok(answer) => answers.push(answer),
                Err(missing) => {
                    buffer.reserve(missing.min(STEP));
                    if reader.read_buf(buffer).await? == 0 {
                        return Err(Lost::Broken(io::ErrorKind::UnexpectedEof.into()));
                    }
                }
            }
        }
        if buffer.is_empty() {
            Ok(answers)
        } else {
            Err(Garbled("more answers than there were questions").into())
        }
    };
    let (answers, ()) = tokio::try_join!(read, write)?;
    Ok(answers)
}
