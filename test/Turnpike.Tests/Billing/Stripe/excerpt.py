"""Writes stripe-openapi.json: the requests, and the members of answers, of the operations this product uses, from the OpenAPI
documents that Stripe publishes. Each document is of one version of the API, and stands for the requests that name this version.

    python3 excerpt.py VERSION ORIGIN LICENCE path/to/document [the same of another ...] > stripe-openapi.json
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
    "/v2/billing/meter_event_session": ["post"],
    "/v2/billing/meter_event_stream": ["post"],
    "/v2/billing/meter_events": ["post"],
}


def form(schema):
    """The shape of one parameter: a type with its limits, members, or the shapes it may have."""
    if "anyOf" in schema:
        return {"any": [form(one) for one in schema["anyOf"]]}
    kept = {name: schema[name] for name in ("type", "format", "enum", "maxLength", "required") if name in schema}
    if "properties" in schema:
        kept["properties"] = {name: form(one) for name, one in sorted(schema["properties"].items())}
    if isinstance(schema.get("additionalProperties"), dict):
        kept["values"] = form(schema["additionalProperties"])
    if "items" in schema:
        kept["items"] = form(schema["items"])
    return kept


def operation(document, path, method):
    found = document["paths"][path][method]
    kept = {}
    query = {p["name"]: form(p["schema"]) for p in found.get("parameters", []) if p["in"] == "query"}
    required = [p["name"] for p in found.get("parameters", []) if p["in"] == "query" and p.get("required")]
    if query:
        kept["query"] = {"type": "object", "properties": query, "required": required}
    contents = found.get("requestBody", {}).get("content", {})
    for kind, name in (("application/x-www-form-urlencoded", "form"), ("application/json", "json")):
        if kind in contents:
            kept[name] = form(contents[kind]["schema"])
    answer = found["responses"]["200"]["content"]["application/json"]["schema"]
    if "$ref" in answer:
        answer = document["components"]["schemas"][answer["$ref"].rsplit("/", 1)[1]]
    kept["answer"] = sorted(answer.get("properties", {}))
    return kept


def excerpt(version, origin, licence, path):
    document = yaml.load(open(path, encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    used = {path: {method: operation(document, path, method) for method in methods} for path, methods in sorted(USED.items()) if path in document["paths"]}
    return {"version": version, "origin": origin, "license": licence, "paths": used}


given = sys.argv[1:]
json.dump([excerpt(*given[i:i + 4]) for i in range(0, len(given), 4)], sys.stdout, separators=(",", ":"))
