//! The task that lets traces go which were kept long enough.

use std::time::Duration;

use atna::log::Expiry;
use chrono::Utc;

/// How often it is looked whether a month is over.
const INTERVAL: Duration = Duration::from_secs(24 * 3600);
/// After a failure.
const RETRY: Duration = Duration::from_secs(3600);

/// Works until it is dropped. Of several servers that share a database one works at a time.
pub async fn keep(expiry: Expiry) {
    let mut told = None;
    loop {
        let wait = match expiry.run(Utc::now()).await {
            Ok(went) => {
                for went in went {
                    tracing::info!(
                        events = went.events,
                        archive = %went.archive.display(),
                        "the {} events of {} were kept long enough and are in the archive now",
                        went.kind,
                        went.month.format("%Y-%m"),
                    );
                }
                told = None;
                INTERVAL
            }
            Err(error) => {
                tracing::error!("traces that were kept long enough stay: {error}");
                // Once for each reason, and not for a database that is away.
                let reason = Some(error.to_string());
                if told != reason && !error.is_unavailable() {
                    if let Err(error) = expiry.failed(&error).await {
                        tracing::error!("the trace of this cannot be written: {error}");
                    }
                    told = reason;
                }
                RETRY
            }
        };
        tokio::time::sleep(wait).await;
    }
}
