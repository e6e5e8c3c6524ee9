//! Parameters with a number or one of a few words as value.

use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::config::ChannelBinding;

use super::error::ConninfoError;
use super::keywords::Parameters;
use super::settings::{TargetSessionAttrs, TcpSettings};

pub(super) fn channel_binding(parameters: &Parameters) -> Result<ChannelBinding, ConninfoError> {
    let Some(value) = parameters.filled("channel_binding") else {
        return Ok(ChannelBinding::Prefer);
    };
    match value.text.as_str() {
        "disable" => Ok(ChannelBinding::Disable),
        "prefer" => Ok(ChannelBinding::Prefer),
        "require" => Ok(ChannelBinding::Require),
        _ => Err(value.refused("channel_binding", "disable, prefer or require")),
    }
}

pub(super) fn target_session_attrs(
    parameters: &Parameters,
) -> Result<TargetSessionAttrs, ConninfoError> {
    let Some(value) = parameters.filled("target_session_attrs") else {
        return Ok(TargetSessionAttrs::Any);
    };
    match value.text.as_str() {
        "any" => Ok(TargetSessionAttrs::Any),
        "read-write" => Ok(TargetSessionAttrs::ReadWrite),
        "read-only" => Ok(TargetSessionAttrs::ReadOnly),
        "primary" => Ok(TargetSessionAttrs::Primary),
        "standby" => Ok(TargetSessionAttrs::Standby),
        "prefer-standby" => Ok(TargetSessionAttrs::PreferStandby),
        _ => Err(value.refused(
            "target_session_attrs",
            "any, read-write, read-only, primary, standby or prefer-standby",
        )),
    }
}

pub(super) fn tcp(parameters: &Parameters) -> Result<TcpSettings, ConninfoError> {
    Ok(TcpSettings {
        keepalives: number::<i64>(parameters, "keepalives")?.is_none_or(|value| value != 0),
        idle: seconds(parameters, "keepalives_idle")?,
        interval: seconds(parameters, "keepalives_interval")?,
        count: number::<u32>(parameters, "keepalives_count")?.filter(|count| *count > 0),
        user_timeout: positive(parameters, "tcp_user_timeout")?.map(Duration::from_millis),
    })
}

pub(super) fn seconds(
    parameters: &Parameters,
    keyword: &'static str,
) -> Result<Option<Duration>, ConninfoError> {
    Ok(positive(parameters, keyword)?.map(Duration::from_secs))
}

/// In libpq, zero and negative values mean "no limit" or "the system's default".
fn positive(parameters: &Parameters, keyword: &'static str) -> Result<Option<u64>, ConninfoError> {
    let value = number::<i32>(parameters, keyword)?;
    Ok(value
        .and_then(|value| u64::try_from(value).ok())
        .filter(|value| *value > 0))
}

fn number<N: FromStr>(
    parameters: &Parameters,
    keyword: &'static str,
) -> Result<Option<N>, ConninfoError> {
    let Some(value) = parameters.filled(keyword) else {
        return Ok(None);
    };
    value
        .text
        .trim()
        .parse()
        .map(Some)
        .map_err(|_| value.refused(keyword, "an integer"))
}
