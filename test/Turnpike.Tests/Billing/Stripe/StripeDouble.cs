using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Turnpike.Tests.Billing.Stripe;

/// <summary>What goes wrong with one request.</summary>
internal enum StripeFault
{
    /// <summary>Nothing arrives, and nobody answers.</summary>
    Before,

    /// <summary>It is done, and nobody answers.</summary>
    After,

    /// <summary>500, and nothing is done.</summary>
    Error,

    /// <summary>429, and nothing is done.</summary>
    RateLimit,
}

/// <summary>An answer; status 0 is none.</summary>
internal sealed record StripeReplied(int Status, string Body, bool Replayed = false);

/// <summary>
/// Stripe on loopback: objects with a state of their own, form encoding, idempotency keys, connected accounts, errors in its shape,
/// and signed events, delivered when, how often and in which order a test says. Every request is held against Stripe's published
/// OpenAPI document: what that does not know is refused as Stripe would.
/// </summary>
internal sealed class StripeDouble(string secretKey, string webhookSecret)
{
    private readonly Lock gate = new();
    private readonly StripeContract contract = new();
    private readonly Dictionary<string, (string Request, StripeReplied Reply)> answered = [];
    private readonly Queue<(string Path, StripeFault Fault)> faults = [];
    private readonly List<(string Method, string Path, string Account, JsonObject Form)> requests = [];

    public StripeObjects Objects { get; } = new();

    /// <summary>Everything that was asked, in order, repetitions as well.</summary>
    public IReadOnlyList<(string Method, string Path, string Account, JsonObject Form)> Requests
    {
        get { lock (gate) return [.. requests]; }
    }

    /// <summary>Answers everything with 500 from now on.</summary>
    public bool Down { get; set; }

    /// <summary>The next request whose path contains this goes wrong.</summary>
    public void Fail(string path, StripeFault fault)
    {
        lock (gate) faults.Enqueue((path, fault));
    }

    /// <summary>A day has passed: idempotency keys are not known any more.</summary>
    public void Forget()
    {
        lock (gate) answered.Clear();
    }

    public StripeReplied Answer(string method, string pathAndQuery, Func<string, string?> header, string body)
    {
        lock (gate)
        {
            var question = pathAndQuery.IndexOf('?', StringComparison.Ordinal);
            var (path, query) = question < 0 ? (pathAndQuery, "") : (pathAndQuery[..question], pathAndQuery[(question + 1)..]);
            if (Down) return Problem(500, "api_error", null, "Something went wrong on our end.");
            if (header("Authorization") != "Basic " + Convert.ToBase64String(Encoding.ASCII.GetBytes(secretKey + ":"))) return Problem(401, "invalid_request_error", "invalid_api_key", "Invalid API Key provided.");
            if (StripeForm.Parse(method == "GET" ? query : body) is not { } form) return Problem(400, "invalid_request_error", null, "Invalid form.");
            var (account, key) = (header("Stripe-Account") ?? "", header("Idempotency-Key"));
            requests.Add((method, path, account, form));
            var fault = faults.TryPeek(out var next) && path.Contains(next.Path, StringComparison.Ordinal) ? faults.Dequeue().Fault : (StripeFault?)null;
            if (fault == StripeFault.Before) return new StripeReplied(0, "");
            if (fault == StripeFault.Error) return Problem(500, "api_error", null, "Something went wrong on our end.");
            if (fault == StripeFault.RateLimit) return Problem(429, "invalid_request_error", "rate_limit", "Too many requests.");
            var reply = method == "POST" && key is not null ? Once($"{account} {key}", $"{path} {form.ToJsonString()}", () => Do(method, path, account, form)) : Do(method, path, account, form);
            return fault == StripeFault.After ? new StripeReplied(0, "") : reply;
        }
    }

    /// <summary>An event as Stripe posts it, and the header that signs it.</summary>
    public (string Body, string Signature) Event(string type, JsonNode about, DateTimeOffset at, string? id = null, string? account = null, string? secret = null)
    {
        var told = new JsonObject { ["id"] = id ?? Objects.NewId("evt"), ["object"] = "event", ["api_version"] = "2023-08-16", ["type"] = type, ["created"] = at.ToUnixTimeSeconds(), ["livemode"] = false, ["data"] = new JsonObject { ["object"] = about.DeepClone() } };
        if (!string.IsNullOrEmpty(account)) told["account"] = account;
        var body = told.ToJsonString();
        return (body, Sign(body, at, secret ?? webhookSecret));
    }

    public static string Sign(string body, DateTimeOffset at, string secret)
    {
        var time = at.ToUnixTimeSeconds();
        return $"t={time},v1={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{time}.{body}")))}";
    }

    private StripeReplied Do(string method, string path, string account, JsonObject form)
    {
        if (contract.Fault(method, path, form) is { } fault) return Problem(fault.StartsWith("Unrecognized", StringComparison.Ordinal) ? 404 : 400, "invalid_request_error", fault.Contains("unknown") ? "parameter_unknown" : "parameter_invalid", fault);
        try
        {
            var made = Objects.Do(method, path, account, form);
            if (contract.Foreign(method, path, made).ToList() is { Count: > 0 } foreign) throw new InvalidOperationException($"{path} answers with {string.Join(", ", foreign)}, which Stripe's does not have.");
            return new StripeReplied(200, made.ToJsonString());
        }
        catch (StripeRefusal no) { return Problem(no.Status, no.Type, no.Code, no.Message, no.Decline, no.Intent); }
    }

    /// <summary>The same key and parameters are answered as before; other parameters are refused. What was refused for its form is not kept.</summary>
    private StripeReplied Once(string key, string request, Func<StripeReplied> work)
    {
        if (answered.TryGetValue(key, out var earlier))
            return earlier.Request == request ? earlier.Reply with { Replayed = true }
                : Problem(400, "idempotency_error", null, "Keys for idempotent requests can only be used with the same parameters they were first used with.");
        var reply = work();
        if (reply.Status is 200 or 402) answered[key] = (request, reply);
        return reply;
    }

    private static StripeReplied Problem(int status, string type, string? code, string message, string? decline = null, JsonObject? intent = null)
    {
        var error = new JsonObject { ["type"] = type, ["message"] = message };
        if (code is not null) error["code"] = code;
        if (decline is not null) error["decline_code"] = decline;
        if (intent is not null) error["payment_intent"] = intent.DeepClone();
        return new StripeReplied(status, new JsonObject { ["error"] = error }.ToJsonString());
    }
}
