//! What gateways say and want to hear: [`event`] reads what API Gateway and AppSync send to an authorizer, [`response`] says a
//! verdict in the shape that each of them expects. Nothing here reaches out or waits.

pub mod event;
pub mod response;
