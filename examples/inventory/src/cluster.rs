//! The same functions on many machines: a Ballista scheduler, its executors, and who asks them.
//!
//! A plan travels with the names of its functions, so that scheduler and executors must know them: they are
//! made here with the registry of [`state`]. Files are named by paths, which every executor must be able to
//! read: a shared folder.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::sync::Arc;

use ballista::prelude::{SessionConfigExt as _, SessionContextExt as _};
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::error::BallistaError;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::start_server;
use datafusion::error::Result;
use datafusion::execution::{FunctionRegistry as _, SessionState, SessionStateBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use lexopt::{Arg, Parser, ValueExt as _};

use crate::functions;
use crate::shell::ShellError;

/// The part that a process has in a cluster.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Part {
    /// It plans queries and gives their tasks to executors.
    Scheduler {
        /// Where it listens.
        bind: SocketAddr,
    },
    /// It runs tasks.
    Executor {
        /// Where the scheduler listens.
        scheduler: SocketAddr,
        /// Where other executors fetch what it has.
        bind: SocketAddr,
        /// Tasks at a time.
        threads: usize,
    },
}

/// A state with the functions in it, for every part of a cluster.
pub fn state(config: SessionConfig) -> SessionState {
    let mut state = SessionStateBuilder::new_with_default_features()
        .with_config(config)
        .build();
    for function in functions::registered() {
        // A state takes every function.
        let _ = state.register_udf(Arc::new(function));
    }
    state
}

/// A session whose queries run on the cluster of this scheduler, as in `df://host:50050`.
///
/// # Errors
/// Where the URL names no host.
pub async fn client(scheduler: &str) -> Result<SessionContext> {
    let config = SessionConfig::new_with_ballista().with_information_schema(true);
    let context = SessionContext::remote_with_state(scheduler, state(config)).await?;
    // Ballista puts its own functions in the place of all that the state had.
    functions::register(&context);
    Ok(context)
}

/// A session with a cluster of its own: a scheduler and an executor in this process, over loopback.
///
/// # Errors
/// Where they cannot listen.
pub async fn standalone() -> Result<SessionContext> {
    let config = SessionConfig::new_with_ballista().with_information_schema(true);
    let context = SessionContext::standalone_with_state(state(config)).await?;
    functions::register(&context);
    Ok(context)
}

impl Part {
    /// Reads what follows `scheduler` or `executor` on the command line.
    pub(crate) fn parse(command: &OsStr, parser: &mut Parser) -> Result<Self, lexopt::Error> {
        let mut bind = None;
        let mut scheduler = None;
        let mut threads = std::thread::available_parallelism().map_or(1, usize::from);
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Long("bind") => bind = Some(parser.value()?.parse()?),
                Arg::Long("scheduler") => scheduler = Some(parser.value()?.parse()?),
                Arg::Long("threads") => threads = parser.value()?.parse()?,
                other => return Err(other.unexpected()),
            }
        }
        match (command == "executor", scheduler) {
            (true, Some(scheduler)) => Ok(Self::Executor {
                scheduler,
                bind: bind.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 50051))),
                threads,
            }),
            (true, None) => Err("'--scheduler HOST:PORT' is missing".into()),
            (false, _) => Ok(Self::Scheduler {
                bind: bind.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 50050))),
            }),
        }
    }

    /// Takes this part until the process is ended.
    ///
    /// # Errors
    /// [`ShellError::Cluster`] where it cannot listen, or the scheduler cannot be reached.
    pub async fn serve(self) -> Result<(), ShellError> {
        let served = match self {
            Self::Scheduler { bind } => schedule(bind).await,
            Self::Executor {
                scheduler,
                bind,
                threads,
            } => execute(scheduler, bind, threads).await,
        };
        served.map_err(|error| ShellError::Cluster {
            reason: error.to_string(),
        })
    }
}

/// Executors fetch their tasks, so that nobody has to reach them but each other.
const POLICY: TaskSchedulingPolicy = TaskSchedulingPolicy::PullStaged;

async fn schedule(bind: SocketAddr) -> Result<(), BallistaError> {
    let config = SchedulerConfig {
        bind_host: bind.ip().to_string(),
        bind_port: bind.port(),
        external_host: bind.ip().to_string(),
        scheduling_policy: POLICY,
        override_session_builder: Some(Arc::new(|config| Ok(state(config)))),
        ..SchedulerConfig::default()
    };
    let cluster = BallistaCluster::new_from_config(&config).await?;
    start_server(cluster, bind, Arc::new(config)).await
}

async fn execute(
    scheduler: SocketAddr,
    bind: SocketAddr,
    threads: usize,
) -> Result<(), BallistaError> {
    let functions = BallistaFunctionRegistry::from(&state(SessionConfig::new_with_ballista()));
    let config = ExecutorProcessConfig {
        bind_host: bind.ip().to_string(),
        external_host: Some(bind.ip().to_string()),
        port: bind.port(),
        scheduler_host: scheduler.ip().to_string(),
        scheduler_port: scheduler.port(),
        scheduler_connect_timeout_seconds: 30,
        task_scheduling_policy: POLICY,
        vcores: threads.max(1),
        override_function_registry: Some(Arc::new(functions)),
        ..ExecutorProcessConfig::default()
    };
    start_executor_process(Arc::new(config)).await
}
