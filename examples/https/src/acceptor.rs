//! Who accepts connections of TLS, with which certificate.
//!
//! TCP connections enter, those that will speak TLS leave: nothing is read and nobody waited for here.
//! A certificate that was renewed on disk is taken up without a restart.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use longhand::Limits;
use longhand::transport::{Accepted, Acceptor, TcpAcceptor};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};

use crate::tls::Tls;

/// How often the files are looked at, while somebody comes.
const LOOK: Duration = Duration::from_secs(1);

/// Accepts TCP connections that will speak TLS.
pub(crate) struct TlsAcceptor {
    pub(crate) tcp: TcpAcceptor,
    pub(crate) identity: Identity,
}

impl Acceptor for TlsAcceptor {
    type Transport = Tls;

    fn prepare(&self, limits: &Limits) -> io::Result<()> {
        self.tcp.prepare(limits)
    }

    fn accept(&self) -> io::Result<Accepted<Tls>> {
        let accepted = self.tcp.accept()?;
        let session = ServerConnection::new(self.identity.current()).map_err(io::Error::other)?;
        Ok(accepted.map(|socket| Tls::new(socket, session)))
    }

    fn wake(&self) -> io::Result<()> {
        self.tcp.wake()
    }

    /// Without a word: to say 503, one would have to shake hands first.
    fn refuse(&self, transport: Tls, _: &[u8]) {
        drop(transport);
    }

    fn last_call(&self) -> bool {
        self.tcp.last_call()
    }

    fn close(&self) {
        self.tcp.close();
    }

    fn local(&self) -> Option<SocketAddr> {
        self.tcp.local()
    }
}

/// The certificate and its key, as they stand in two files.
pub(crate) struct Identity {
    chain: PathBuf,
    key: PathBuf,
    config: RwLock<Arc<ServerConfig>>,
    seen: Mutex<(Instant, Stamps)>,
}

type Stamps = [Option<(SystemTime, u64)>; 2];

impl Identity {
    /// Reads the files: the certificate first and those behind it up to an authority, and the key.
    pub(crate) fn read(chain: PathBuf, key: PathBuf) -> Result<Self, String> {
        // Before they are read: a change in between is seen as one.
        let stamps = [stamp(&chain), stamp(&key)];
        let config = RwLock::new(config(&chain, &key)?);
        Ok(Self { chain, key, config, seen: Mutex::new((Instant::now(), stamps)) })
    }

    /// What new connections get. Files that have changed and cannot be used change nothing: half of a
    /// renewal may be there, a certificate whose key comes in a moment.
    fn current(&self) -> Arc<ServerConfig> {
        if let Ok(mut seen) = self.seen.try_lock()
            && seen.0.elapsed() >= LOOK
        {
            let stamps = [stamp(&self.chain), stamp(&self.key)];
            if std::mem::replace(&mut *seen, (Instant::now(), stamps)).1 != stamps {
                self.renew();
            }
        }
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn renew(&self) {
        match config(&self.chain, &self.key) {
            Ok(new) => *self.config.write().unwrap_or_else(PoisonError::into_inner) = new,
            Err(problem) => {
                setup::complain(&format!("{problem}; the old certificate stays in use"));
            }
        }
    }
}

/// Which version of a file is there.
fn stamp(file: &Path) -> Option<(SystemTime, u64)> {
    let about = file.metadata().ok()?;
    Some((about.modified().ok()?, about.len()))
}

fn config(chain: &Path, key: &Path) -> Result<Arc<ServerConfig>, String> {
    let bad = |what: &str, file: &Path, error: &dyn std::fmt::Display| {
        format!("{what}={}: {error}", file.display())
    };
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| bad("CERT", chain, &error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| bad("KEY", key, &error))?;
    // TLS 1.2 and 1.3, and of 1.2 only what has forward secrecy: rustls knows no other.
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(certificates, private)
        .map_err(|error| bad("CERT", chain, &format!("{error} (KEY={})", key.display())))?;
    // RFC 7301: a client that wants another protocol, such as h2 alone, is told so in the handshake.
    config.alpn_protocols = vec![b"http/1.1".to_vec(), b"http/1.0".to_vec()];
    Ok(Arc::new(config))
}
