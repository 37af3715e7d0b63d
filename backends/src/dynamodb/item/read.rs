//! Items to records and their companions.

use std::{collections::BTreeMap, str::FromStr};

use aws_sdk_dynamodb::types::AttributeValue;
use doorward_keys::{
    AuditAction, AuditEntry, Digest, Earlier, EventKind, Idempotency, KeyEvent, KeyId, KeyRecord,
    KeyStatus, StoreError, Timestamp, Trace,
};

use super::Item;
use crate::dynamodb::schema;

/// The record in an item; `None` for a tombstone.
pub(in crate::dynamodb) fn living(item: &Item) -> Result<Option<KeyRecord>, StoreError> {
    if item.contains_key(schema::DELETED_AT) {
        // Whatever else it says: what is marked as deleted is no key.
        return Reader::of(item).map(|_| None);
    }
    record(item).map(Some)
}

/// Where the record is of a key whose digest `asked` leads there; `None` for a tombstone that leads nowhere.
pub(in crate::dynamodb) fn moved_to(
    item: &Item,
    asked: &Digest,
) -> Result<Option<(KeyId, Digest)>, StoreError> {
    let read = Reader::of(item)?;
    if read.digest()? != *asked {
        return Err(read.corrupt(schema::DIGEST));
    }
    let Some(digest) = read.optional(schema::MOVED_TO, Reader::bytes)? else {
        return Ok(None);
    };
    Ok(Some((read.key_id(schema::ID)?, digest)))
}

/// What an item under a digest says.
pub(in crate::dynamodb) fn trace(item: &Item) -> Result<Trace, StoreError> {
    if item.contains_key(schema::DELETED_AT) {
        return Reader::of(item)?.key_id(schema::ID).map(Trace::Gone);
    }
    Ok(Trace::Here(Box::new(record(item)?)))
}

/// The record in an item. Whatever the item says of itself twice must agree: its key, its index and its attributes.
pub(in crate::dynamodb) fn record(item: &Item) -> Result<KeyRecord, StoreError> {
    let (read, plan, decoy) = Reader::of_record(item)?;
    let record = KeyRecord {
        digest: read.digest()?,
        id: read.key_id(schema::ID)?,
        tenant: read.text(schema::TENANT)?.to_owned(),
        name: read.text(schema::NAME)?.to_owned(),
        environment: read.text(schema::ENVIRONMENT)?.to_owned(),
        scopes: read
            .texts(schema::SCOPES)?
            .ok_or_else(|| read.corrupt(schema::SCOPES))?,
        routes: read.texts(schema::ROUTES)?,
        addresses: read
            .texts(schema::ADDRESSES)?
            .map(|ranges| ranges.iter().map(|range| range.parse()).collect())
            .transpose()
            .map_err(|_| read.corrupt(schema::ADDRESSES))?,
        created_at: Timestamp::from_unix(read.number(schema::CREATED_AT)?),
        expires_at: read
            .optional(schema::EXPIRES_AT, Reader::number)?
            .map(Timestamp::from_unix),
        status: KeyStatus::parse(read.text(schema::STATUS)?)
            .ok_or_else(|| read.corrupt(schema::STATUS))?,
        changed_at: Timestamp::from_unix(read.number(schema::CHANGED_AT)?),
        rotated_from: read.optional(schema::ROTATED_FROM, Reader::key_id)?,
        rotated_to: read.optional(schema::ROTATED_TO, Reader::key_id)?,
        rotates_at: read
            .optional(schema::ROTATES_AT, Reader::number)?
            .map(Timestamp::from_unix),
        usage_plan_key: read
            .optional(schema::USAGE_PLAN_KEY, Reader::text)?
            .map(ToOwned::to_owned),
        plan,
        decoy,
        metadata: read.map(schema::METADATA)?,
        version: read.number(schema::VERSION)?,
    };
    read.expect(schema::PK, &schema::record_pk(&record.digest.to_hex()))?;
    read.expect(schema::SK, schema::RECORD_SK)?;
    read.expect(schema::TENANT_PK, &schema::tenant_pk(&record.tenant))?;
    read.expect(schema::TENANT_SK, &record.list_position())?;
    if let Some((day, position)) = record.calendar_position() {
        read.expect(schema::DAY_PK, &schema::expiry_pk(day))?;
        read.expect(schema::DAY_SK, &position)?;
    }
    Ok(record)
}

/// Reads the attributes of one item whose `format` is ours.
pub(in crate::dynamodb) struct Reader<'item> {
    item: &'item Item,
}

impl<'item> Reader<'item> {
    pub(in crate::dynamodb) fn of(item: &'item Item) -> Result<Self, StoreError> {
        let read = Self { item };
        if read.number::<u32>(schema::FORMAT)? == schema::FORMAT_VERSION {
            Ok(read)
        } else {
            Err(read.corrupt(schema::FORMAT))
        }
    }

    /// For a record, with its plan and whether it is a decoy: the version says which of these there are.
    fn of_record(item: &'item Item) -> Result<(Self, Option<String>, bool), StoreError> {
        let read = Self { item };
        let plan = read.optional(schema::PLAN, Self::text)?.map(str::to_owned);
        let decoy = read.optional(schema::DECOY, Self::text)?;
        match (read.number::<u32>(schema::FORMAT)?, &plan, decoy) {
            (schema::FORMAT_VERSION, None, None) | (schema::PLAN_FORMAT_VERSION, Some(_), None) => {
                Ok((read, plan, false))
            }
            (schema::DECOY_FORMAT_VERSION, _, Some("yes")) => Ok((read, plan, true)),
            (schema::FORMAT_VERSION | schema::PLAN_FORMAT_VERSION, _, None) => {
                Err(read.corrupt(schema::PLAN))
            }
            (
                schema::FORMAT_VERSION | schema::PLAN_FORMAT_VERSION | schema::DECOY_FORMAT_VERSION,
                _,
                _,
            ) => Err(read.corrupt(schema::DECOY)),
            _ => Err(read.corrupt(schema::FORMAT)),
        }
    }

    pub(in crate::dynamodb) fn digest(&self) -> Result<Digest, StoreError> {
        self.bytes(schema::DIGEST)
    }

    pub(in crate::dynamodb) fn bytes(&self, name: &str) -> Result<Digest, StoreError> {
        match self.item.get(name) {
            Some(AttributeValue::B(bytes)) => <[u8; 32]>::try_from(bytes.as_ref())
                .map(Digest::from_bytes)
                .map_err(|_| self.corrupt(name)),
            _ => Err(self.corrupt(name)),
        }
    }

    pub(in crate::dynamodb) fn audit_entry(&self) -> Result<AuditEntry, StoreError> {
        let pk = self.text(schema::PK)?;
        let tenant = self.text(schema::TENANT_PK)?;
        Ok(AuditEntry {
            id: self
                .text(schema::SK)?
                .strip_prefix(schema::AUDIT_SK)
                .ok_or_else(|| self.corrupt(schema::SK))?
                .to_owned(),
            key_id: pk
                .strip_prefix("id#")
                .and_then(KeyId::parse)
                .ok_or_else(|| self.corrupt(schema::PK))?,
            tenant: tenant
                .strip_prefix("audit#")
                .ok_or_else(|| self.corrupt(schema::TENANT_PK))?
                .to_owned(),
            at: Timestamp::from_unix(self.number(schema::AT)?),
            action: AuditAction::parse(self.text(schema::ACTION)?)
                .ok_or_else(|| self.corrupt(schema::ACTION))?,
            actor: self.text(schema::ACTOR)?.to_owned(),
            version: self.number(schema::VERSION)?,
            reason: self
                .optional(schema::REASON, Self::text)?
                .map(ToOwned::to_owned),
            related: self.optional(schema::RELATED, Self::key_id)?,
            fields: self.texts(schema::FIELDS)?.unwrap_or_default(),
        })
    }

    pub(in crate::dynamodb) fn event(&self) -> Result<KeyEvent, StoreError> {
        let owned = |name| -> Result<Option<String>, StoreError> {
            Ok(self.optional(name, Self::text)?.map(ToOwned::to_owned))
        };
        Ok(KeyEvent {
            id: self.text(schema::SK)?.to_owned(),
            kind: EventKind::parse(self.text(schema::KIND)?)
                .ok_or_else(|| self.corrupt(schema::KIND))?,
            at: Timestamp::from_unix(self.number(schema::AT)?),
            key_id: self.key_id(schema::ID)?,
            tenant: self.text(schema::TENANT)?.to_owned(),
            name: self.text(schema::NAME)?.to_owned(),
            environment: self.text(schema::ENVIRONMENT)?.to_owned(),
            status: KeyStatus::parse(self.text(schema::STATUS)?)
                .ok_or_else(|| self.corrupt(schema::STATUS))?,
            expires_at: self
                .optional(schema::EXPIRES_AT, Self::number)?
                .map(Timestamp::from_unix),
            version: self.number(schema::VERSION)?,
            actor: owned(schema::ACTOR)?,
            reason: owned(schema::REASON)?,
            related: self.optional(schema::RELATED, Self::key_id)?,
            fields: self.texts(schema::FIELDS)?.unwrap_or_default(),
            details: self.map(schema::DETAILS)?,
        })
    }

    /// A text of an item of whatever format.
    pub(in crate::dynamodb) fn text_of(item: &Item, name: &str) -> Result<String, StoreError> {
        Reader { item }.text(name).map(ToOwned::to_owned)
    }

    /// What a remembered request means for `request`.
    pub(in crate::dynamodb) fn earlier(
        &self,
        request: &Idempotency,
    ) -> Result<Option<Earlier>, StoreError> {
        Ok(request.compare(
            self.text(schema::CONTENT)?,
            self.key_id(schema::ID)?,
            Timestamp::from_unix(self.number(schema::PURGE_AT)?),
        ))
    }

    pub(in crate::dynamodb) fn text(&self, name: &str) -> Result<&'item str, StoreError> {
        match self.item.get(name) {
            Some(AttributeValue::S(text)) => Ok(text),
            _ => Err(self.corrupt(name)),
        }
    }

    pub(in crate::dynamodb) fn number<T: FromStr>(&self, name: &str) -> Result<T, StoreError> {
        match self.item.get(name) {
            Some(AttributeValue::N(digits)) => digits.parse().map_err(|_| self.corrupt(name)),
            _ => Err(self.corrupt(name)),
        }
    }

    pub(in crate::dynamodb) fn key_id(&self, name: &str) -> Result<KeyId, StoreError> {
        KeyId::parse(self.text(name)?).ok_or_else(|| self.corrupt(name))
    }

    fn texts(&self, name: &str) -> Result<Option<Vec<String>>, StoreError> {
        let list = match self.item.get(name) {
            None => return Ok(None),
            Some(AttributeValue::L(list)) => list,
            Some(_) => return Err(self.corrupt(name)),
        };
        list.iter()
            .map(|value| value.as_s().cloned())
            .collect::<Result<_, _>>()
            .map(Some)
            .map_err(|_| self.corrupt(name))
    }

    fn map(&self, name: &str) -> Result<BTreeMap<String, String>, StoreError> {
        let Some(AttributeValue::M(map)) = self.item.get(name) else {
            return Err(self.corrupt(name));
        };
        map.iter()
            .map(|(key, value)| Ok((key.clone(), value.as_s()?.clone())))
            .collect::<Result<_, &AttributeValue>>()
            .map_err(|_| self.corrupt(name))
    }

    /// `None` when the attribute is absent; one that is there must be readable.
    pub(in crate::dynamodb) fn optional<T>(
        &self,
        name: &str,
        read: impl Fn(&Self, &str) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.item
            .contains_key(name)
            .then(|| read(self, name))
            .transpose()
    }

    fn expect(&self, name: &str, value: &str) -> Result<(), StoreError> {
        if self.text(name)? == value {
            Ok(())
        } else {
            Err(self.corrupt(name))
        }
    }

    /// Names the attribute and, where it can be read, the key. Never a value: it may be anything.
    pub(in crate::dynamodb) fn corrupt(&self, name: &str) -> StoreError {
        let id = match self.item.get(schema::ID) {
            Some(AttributeValue::S(id)) => KeyId::parse(id),
            _ => None,
        };
        let whose = id.map_or_else(|| "an item".to_owned(), |id| format!("`{id}`"));
        StoreError::Corrupt(format!(
            "attribute `{name}` of {whose} is missing or not of format {}",
            schema::FORMAT_VERSION
        ))
    }
}
