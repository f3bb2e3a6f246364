"""Writes stripe-openapi.json: the request forms and queries, and the members of answers, of the operations this product uses,
from Stripe's published OpenAPI document (https://github.com/stripe/openapi, MIT).

    python3 excerpt.py path/to/spec3.yaml > stripe-openapi.json
"""
import json
import sys

import yaml

USED = {
    "/v1/balance_transactions": ["get"],
    "/v1/billing_portal/sessions": ["post"],
    "/v1/checkout/sessions": ["post"],
    "/v1/checkout/sessions/{session}": ["get"],
    "/v1/credit_notes": ["get", "post"],
    "/v1/customers": ["post"],
    "/v1/disputes/{dispute}": ["get", "post"],
    "/v1/invoiceitems": ["get", "post"],
    "/v1/invoices": ["get", "post"],
    "/v1/invoices/{invoice}": ["get"],
    "/v1/invoices/{invoice}/finalize": ["post"],
    "/v1/invoices/{invoice}/mark_uncollectible": ["post"],
    "/v1/invoices/{invoice}/pay": ["post"],
    "/v1/invoices/{invoice}/send": ["post"],
    "/v1/invoices/{invoice}/void": ["post"],
    "/v1/payment_intents": ["post"],
    "/v1/payment_intents/search": ["get"],
    "/v1/payment_intents/{intent}/cancel": ["post"],
    "/v1/refunds": ["get", "post"],
    "/v1/refunds/{refund}": ["get"],
}

document = yaml.load(open(sys.argv[1], encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
schemas = document["components"]["schemas"]


def form(schema):
    """The shape of one parameter: a type with its limits, members, or the shapes it may have."""
    if "anyOf" in schema:
        return {"any": [form(one) for one in schema["anyOf"]]}
    kept = {name: schema[name] for name in ("type", "enum", "maxLength", "required") if name in schema}
    if "properties" in schema:
        kept["properties"] = {name: form(one) for name, one in sorted(schema["properties"].items())}
    if isinstance(schema.get("additionalProperties"), dict):
        kept["values"] = form(schema["additionalProperties"])
    if "items" in schema:
        kept["items"] = form(schema["items"])
    return kept


def operation(path, method):
    found = document["paths"][path][method]
    kept = {}
    query = {p["name"]: form(p["schema"]) for p in found.get("parameters", []) if p["in"] == "query"}
    required = [p["name"] for p in found.get("parameters", []) if p["in"] == "query" and p.get("required")]
    if query:
        kept["query"] = {"type": "object", "properties": query, "required": required}
    body = found.get("requestBody", {}).get("content", {}).get("application/x-www-form-urlencoded", {}).get("schema")
    if body:
        kept["form"] = form(body)
    answer = found["responses"]["200"]["content"]["application/json"]["schema"]
    if "$ref" in answer:
        answer = schemas[answer["$ref"].rsplit("/", 1)[1]]
    kept["answer"] = sorted(answer.get("properties", {}))
    return kept


json.dump({
    "origin": "https://github.com/stripe/openapi openapi/spec3.yaml",
    "version": document["info"]["version"],
    "license": "MIT, Copyright (c) 2011- Stripe, Inc. (https://stripe.com)",
    "paths": {path: {method: operation(path, method) for method in methods} for path, methods in sorted(USED.items())},
}, sys.stdout, separators=(",", ":"))
