use std::future::Future;
use std::pin::Pin;

use deadpool_postgres::Connect;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error, NoTls};

/// Opens connections on one runtime, whichever thread asks for them. A connection that lived on the thread of a worker
/// would stall with that worker and die with it.
pub struct HomeRuntime(Handle);

impl HomeRuntime {
    /// The runtime of the caller.
    pub fn here() -> Self {
        HomeRuntime(Handle::current())
    }
}

type Connecting<'a> = Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + 'a>>;

impl Connect for HomeRuntime {
    fn connect(&self, config: &Config) -> Connecting<'_> {
        let (home, config) = (self.0.clone(), config.clone());
        Box::pin(async move {
            let at_home = config.clone();
            let (client, connection) = match home.spawn(async move { at_home.connect(NoTls).await }).await {
                Ok(connected) => connected?,
                // That runtime is going away, and the process with it: what is left to do is done here.
                Err(_) => config.connect(NoTls).await?,
            };
            let driver = home.spawn(async move {
                if let Err(error) = connection.await {
                    tracing::warn!("a connection to the database broke: {error}");
                }
            });
            Ok((client, driver))
        })
    }
}
