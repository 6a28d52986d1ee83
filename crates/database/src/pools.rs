//! Connections that are at home on the thread that uses them: a statement and its answer pass through no other thread. Those
//! of a thread whose runtime has ended are broken; who finds them so makes others.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Connect, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime,
};
use thread_local::ThreadLocal;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, NoTls};

use crate::{Error, Options};

/// A pool for each thread that asks. A thread has one runtime, which carries the traffic of its connections.
pub struct Pools {
    config: Config,
    options: Options,
    of_threads: ThreadLocal<Pool>,
    closed: AtomicBool,
}

/// The connections of all threads at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Connections {
    /// As many as there may be.
    pub most: usize,
    pub in_use: usize,
    pub idle: usize,
    /// Callers that wait for one.
    pub waiting: usize,
}

impl Pools {
    pub fn new(config: Config, options: Options) -> Pools {
        Pools { config, options, of_threads: ThreadLocal::new(), closed: AtomicBool::new(false) }
    }

    pub fn of_size(&self, pool: usize) -> Pools {
        Pools::new(self.config.clone(), Options { pool, ..self.options.clone() })
    }

    /// The pool of this thread.
    pub fn here(&self) -> Result<&Pool, Error> {
        let pool = self.of_threads.get_or_try(|| self.pool())?;
        // It may have been made while the others were closed.
        if self.closed.load(Ordering::SeqCst) {
            pool.close();
        }
        Ok(pool)
    }

    fn pool(&self) -> Result<Pool, Error> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_connect(
            self.config.clone(),
            Connecting { read_only: self.options.read_only },
            recycling,
        );
        let Options { pool, wait, connect_timeout, probe_after, .. } = self.options;
        Pool::builder(manager)
            .max_size(pool)
            .wait_timeout(Some(wait))
            .create_timeout(Some(connect_timeout))
            .runtime(Runtime::Tokio1)
            .pre_recycle(Hook::async_fn(move |client, metrics| {
                Box::pin(async move {
                    match metrics.last_used() < probe_after {
                        true => Ok(()),
                        false => probe(client, connect_timeout).await,
                    }
                })
            }))
            .build()
            .map_err(|error| Error::Pool(error.to_string()))
    }

    pub fn connections(&self) -> Connections {
        self.of_threads.iter().fold(Connections::default(), |sum, pool| {
            let status = pool.status();
            Connections {
                most: sum.most + status.max_size,
                in_use: sum.in_use + status.size.saturating_sub(status.available),
                idle: sum.idle + status.available,
                waiting: sum.waiting + status.waiting,
            }
        })
    }

    /// Closes idle connections and refuses new ones.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.of_threads.iter().for_each(Pool::close);
    }
}

/// Opens connections on the runtime of the caller.
struct Connecting {
    read_only: bool,
}

/// Said when the session is there: one that begins like this looks like a standby to `target_session_attrs=read-write`.
const READ_ONLY: &str = "set default_transaction_read_only = on";

type Connected<'a> =
    Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), tokio_postgres::Error>> + Send + 'a>>;

impl Connect for Connecting {
    fn connect(&self, config: &Config) -> Connected<'_> {
        let (config, read_only) = (config.clone(), self.read_only);
        Box::pin(async move {
            let (client, connection) = config.connect(NoTls).await?;
            let traffic = tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::warn!("a connection to the database broke: {error}");
                }
            });
            if read_only {
                client.batch_execute(READ_ONLY).await?;
            }
            Ok((client, traffic))
        })
    }
}

/// A connection whose server went away without a word looks alive until somebody waits for its answer.
async fn probe(client: &ClientWrapper, limit: Duration) -> Result<(), HookError> {
    match tokio::time::timeout(limit, client.simple_query("")).await {
        Ok(answer) => answer.map(drop).map_err(HookError::Backend),
        Err(_) => Err(HookError::message("the server does not answer")),
    }
}
