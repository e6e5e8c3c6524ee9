//! Labels and other words of the server's messages, in all languages of the server.
//!
//! From the message catalogs of PostgreSQL 15 (`msgunfmt …/LC_MESSAGES/postgres-15.mo`;
//! `src/backend/po`); the test corpus has a log in each language. auto_explain's message is never
//! translated. A label of two words is recognized by the second one.

use std::collections::HashMap;
use std::sync::LazyLock;

/// How serious a message is (<https://www.postgresql.org/docs/current/runtime-config-logging.html>,
/// "Message Severity Levels").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the server's own words")]
pub enum Severity {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Log,
    Fatal,
    Panic,
}

/// A part of an entry that begins a line of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Message,
    Detail,
    Context,
    Statement,
    /// Read, and not kept: hints, internal queries, places in the server's source.
    Other,
}

/// The meaning of a word before `:  `.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    Severity(Severity),
    Field(Field),
}

/// en, de, es, fr, it, ja, ka, ko, ru, sv, uk, zh_CN; a word that several share is listed once.
/// PROTOKOLL is from older German versions.
const SEVERITIES: &[(Severity, &str)] = &[
    (
        Severity::Log,
        "LOG PROTOKOLL ჟურნალი 로그 СООБЩЕНИЕ LOGG ЗАПИСУВАННЯ 日志",
    ),
    (
        Severity::Error,
        "ERROR FEHLER ERREUR ERRORE შეცდომა 오류 ОШИБКА FEL ПОМИЛКА 错误",
    ),
    (
        Severity::Fatal,
        "FATAL FATALE ფატალური 치명적오류 ВАЖНО FATALT ФАТАЛЬНО 致命错误",
    ),
    (
        Severity::Panic,
        "PANIC PANIK PANICO პანიკა 손상 ПАНИКА ПАНІКА 比致命错误还过分的错误",
    ),
    (
        Severity::Warning,
        "WARNING WARNUNG ATTENTION ATTENZIONE გაფრთხილება 경고 ПРЕДУПРЕЖДЕНИЕ VARNING ПОПЕРЕДЖЕННЯ 警告",
    ),
    (
        Severity::Notice,
        "NOTICE HINWEIS NOTIFICA 알림 ЗАМЕЧАНИЕ NOTIS ПОВІДОМЛЕННЯ 注意",
    ),
    (
        Severity::Info,
        "INFO ინფორმაცია 정보 ИНФОРМАЦИЯ ІНФОРМАЦІЯ 信息",
    ),
    (
        Severity::Debug,
        "DEBUG გამართვა 디버그 ОТЛАДКА НАЛАГОДЖЕННЯ 调试",
    ),
];

const FIELDS: &[(Field, &str)] = &[
    (
        Field::Detail,
        "DETAIL DETALLE DÉTAIL DETTAGLI 詳細 დეტალები 상세정보 ПОДРОБНОСТИ DETALJ ВІДОМОСТІ 详细信息",
    ),
    (
        Field::Context,
        "CONTEXT ZUSAMMENHANG CONTEXTO CONTEXTE CONTESTO 文脈 კონტექსტი 내용 КОНТЕКСТ KONTEXT 上下文",
    ),
    (
        Field::Statement,
        "STATEMENT ANWEISUNG SENTENCIA INSTRUCTION ISTRUZIONE 文 ოპერატორი 구문 ОПЕРАТОР SATS ІНСТРУКЦІЯ 语句",
    ),
    (
        Field::Other,
        "HINT TIPP ASTUCE SUGGERIMENTO ヒント მინიშნება 힌트 ПОДСКАЗКА TIPS УКАЗІВКА 提示",
    ),
    (
        Field::Other,
        "QUERY ANFRAGE CONSULTA REQUÊTE 問い合わせ მოთხოვნა ЗАПРОС FRÅGA ЗАПИТ 查询",
    ),
    (
        Field::Other,
        "LOCATION ORT UBICACIÓN EMPLACEMENT POSIZIONE 場所 მდებარეობა PLATS РОЗТАШУВАННЯ 位置 BACKTRACE",
    ),
];

/// Units of the durations.
pub(super) const MILLISECONDS: &[&str] = &["ms", "мс", "ミリ秒", "მწმ"];

/// `statement: …`, the simple protocol.
#[rustfmt::skip]
pub(super) const STATEMENT: &[&str] = &[
    "statement", "Anweisung", "sentencia", "instruction", "istruzione", "文", "გამოსახულება", "ოპერატორი", "명령 구문", "оператор",
    "sats", "语句",
];

/// `execute NAME: …`, the extended protocol.
#[rustfmt::skip]
pub(super) const EXECUTE: &[&str] = &[
    "execute", "Ausführen", "ejecutar", "exécute", "esecuzione di", "実行", "გაშვება", "쿼리실행", "выполнение", "kör", "виконувати",
    "执行",
];

/// `execute fetch from NAME: …`: further rows of a portal that was executed before.
#[rustfmt::skip]
pub(super) const FETCH: &[&str] = &[
    "execute fetch from", "Ausführen Fetch von", "ejecutar fetch desde", "exécute fetch à partir de", "esecuzione di fetch da",
    "取り出し実行", "자료뽑기", "выборка из", "kör hämtning från", "виконати витягнення з", "执行FETCH操作",
];

/// The label that this word is, if it is one.
pub(super) fn label(word: &str) -> Option<Label> {
    static LABELS: LazyLock<HashMap<&'static str, Label>> = LazyLock::new(|| {
        let severities = SEVERITIES
            .iter()
            .map(|(severity, words)| (Label::Severity(*severity), *words));
        let fields = FIELDS
            .iter()
            .map(|(field, words)| (Label::Field(*field), *words));
        severities
            .chain(fields)
            .flat_map(|(label, words)| words.split(' ').map(move |word| (word, label)))
            .collect()
    });
    LABELS.get(word).copied()
}

/// The severity of that name.
pub(super) fn severity(word: &str) -> Option<Severity> {
    match label(word)? {
        Label::Severity(severity) => Some(severity),
        Label::Field(_) => None,
    }
}
