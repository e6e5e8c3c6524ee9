//! A cancel request that waits for the server to close the connection.
//!
//! tokio-postgres closes the connection itself as soon as the request is written. pgbouncer, which
//! forwards requests, may see that before the request is forwarded: it then drops the request, and
//! version 1.18 even crashes. libpq waits, too (`PQcancel`, src/interfaces/libpq/fe-connect.c).

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, NoTls, TlsConnect, TlsStream};
use tokio_postgres::{CancelToken, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::{ConnectionFailure, Reason};
use super::timeout::within;
use crate::db::conninfo::{Endpoint, Host};

/// Ends the query that a session is running, over a connection of its own with the same TLS
/// settings.
#[derive(Clone)]
pub struct CancelHandle {
    pub(super) token: CancelToken,
    pub(super) connector: Option<MakeRustlsConnect>,
    pub(super) timeout: Option<Duration>,
    pub(super) endpoint: Endpoint,
    pub(super) address: Option<IpAddr>,
}

impl CancelHandle {
    /// Asks the server to cancel. The server does not answer this request; the result of the query
    /// shows that it ended.
    ///
    /// # Errors
    /// When the request could not be delivered.
    pub async fn cancel(&self) -> Result<(), ConnectionFailure> {
        within(self.timeout, self.request())
            .await
            .map_err(|reason| ConnectionFailure::new(&self.endpoint, self.address, reason))
    }

    async fn request(&self) -> Result<(), Reason> {
        let (name, address) = match (&self.endpoint.host, self.address) {
            #[cfg(unix)]
            (Host::Socket(_), _) => {
                let path = self.endpoint.socket().unwrap_or_default();
                let socket = tokio::net::UnixStream::connect(path).await;
                return self.send(socket.map_err(Reason::Unreachable)?, "").await;
            }
            (Host::Named { name, .. }, Some(address)) => (name.clone(), address),
            (Host::Address(address), _) => (address.to_string(), *address),
            (_, None) => return Err(Reason::Session("the server's address is not known")),
        };
        let socket = TcpStream::connect((address, self.endpoint.port)).await;
        self.send(socket.map_err(Reason::Unreachable)?, &name).await
    }

    async fn send<S>(&self, socket: S, name: &str) -> Result<(), Reason>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let socket = UntilClosed(socket);
        let sent: Result<(), Error> = match self.connector.clone() {
            None => self.token.cancel_query_raw(socket, NoTls).await,
            Some(mut connector) => {
                let tls = MakeTlsConnect::<UntilClosed<S>>::make_tls_connect(&mut connector, name);
                let tls = tls.map_err(|never| match never {})?;
                let tls = TlsUntilClosed(tls);
                self.token.cancel_query_raw(socket, tls).await
            }
        };
        sent.map_err(|error| Reason::of(&error))
    }
}

/// A stream that is shut down by the other side: `shutdown` waits for that.
struct UntilClosed<S>(S);

impl<S: AsyncRead + Unpin> AsyncRead for UntilClosed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for UntilClosed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    /// The server closes without a word, or resets the connection.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut bytes = [0; 64];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut self.0).poll_read(context, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: TlsStream + Unpin> TlsStream for UntilClosed<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.0.channel_binding()
    }
}

/// Makes TLS streams that wait in the same way, before they say that they close.
struct TlsUntilClosed<T>(T);

impl<S, T> TlsConnect<S> for TlsUntilClosed<T>
where
    T: TlsConnect<S>,
    T::Future: Send + 'static,
    T::Stream: 'static,
    T::Error: 'static,
{
    type Stream = UntilClosed<T::Stream>;
    type Error = T::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, Self::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let connecting = self.0.connect(stream);
        Box::pin(async move { connecting.await.map(UntilClosed) })
    }
}
