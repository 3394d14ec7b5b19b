//! The live server: the same files, made on request. It only reads.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use dashboard_api::Source;

use crate::PageError;
use crate::site::{File, Site};

/// Why the server could not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address could not be taken.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The server broke.
    #[error("the server stopped")]
    Run(#[source] std::io::Error),
}

/// Opens a source for one request. A request works on its own connection, so a long page blocks no other
/// and every page sees one consistent state.
pub type OpenSource = dyn Fn() -> Result<Box<dyn Source>, dashboard_api::SourceError> + Send + Sync;

/// Serves the dashboard on `address` until the process ends; `ready` is told the address really taken
/// (port 0 asks for a free one).
///
/// # Errors
/// When the address cannot be taken or the server breaks.
pub fn serve(
    open: Arc<OpenSource>,
    address: SocketAddr,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(ServeError::Run)?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address)
            .await
            .map_err(|source| ServeError::Listen { address, source })?;
        ready(listener.local_addr().map_err(ServeError::Run)?);
        let app = Router::new().fallback(move |request: Request<Body>| {
            let open = Arc::clone(&open);
            async move { answer(open, request).await }
        });
        axum::serve(listener, app).await.map_err(ServeError::Run)
    })
}

async fn answer(open: Arc<OpenSource>, request: Request<Body>) -> Response<Body> {
    let head = request.method() == Method::HEAD;
    if !head && request.method() != Method::GET {
        let mut response = plain(
            StatusCode::METHOD_NOT_ALLOWED,
            "this server only answers GET and HEAD\n",
        );
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let made = tokio::task::spawn_blocking(move || -> Result<Option<File>, PageError> {
        let source = open()?;
        Site::new(source.as_ref()).file(&path)
    })
    .await;
    let mut response = match made {
        Ok(Ok(Some(file))) => {
            let mut response = Response::new(Body::from(file.bytes));
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static(file.mime));
            response
        }
        Ok(Ok(None)) => plain(StatusCode::NOT_FOUND, "there is no such page\n"),
        // What went wrong is for the log of whoever runs the server, not for every visitor.
        Ok(Err(error)) => {
            eprintln!("cannot make a page: {}", chain(&error));
            plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the page could not be made\n",
            )
        }
        Err(_) => plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the page could not be made\n",
        ),
    };
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    if head {
        *response.body_mut() = Body::empty();
    }
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
