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

    /// <summary>It is still on its way, or being done, when everybody has stopped waiting: done when it arrives. Its key is in use till then.</summary>
    Late,

    /// <summary>500 from within, kept under the request's key: repeated, it is 500 again.</summary>
    Broken,
}

/// <summary>An answer; status 0 is none.</summary>
internal sealed record StripeReplied(int Status, string Body, bool Replayed = false);

/// <summary>
/// Stripe on loopback: objects with a state of their own, form encoding, idempotency keys, connected accounts, errors in its shape,
/// and signed events, delivered when, how often and in which order a test says. Every request is held against Stripe's published
/// OpenAPI document: what that does not know is refused as Stripe would.
/// </summary>
internal sealed class StripeDouble(string secretKey, string webhookSecret, TimeProvider? time = null)
{
    private const string Grants = "/v1/test_helpers/shared_payment/granted_tokens";
    private static readonly StripeContract Contract = new();
    private readonly Lock gate = new();
    private readonly Dictionary<string, (string Request, StripeReplied Reply)> answered = [];
    private readonly Queue<(string Path, StripeFault Fault)> faults = [];
    private readonly List<(string Method, string Path, string Account, JsonObject Form)> requests = [];
    private readonly List<(string Key, Action Work)> late = [];

    public StripeObjects Objects { get; } = new(time);

    public StripeMeters Meters { get; } = new(secretKey, time ?? TimeProvider.System);

    /// <summary>Everything that was asked, in order, repetitions as well.</summary>
    public IReadOnlyList<(string Method, string Path, string Account, JsonObject Form)> Requests
    {
        get { lock (gate) return [.. requests]; }
    }

    /// <summary>Answers everything with 500 from now on.</summary>
    public bool Down { get; set; }

    /// <summary>What goes wrong with everything that creates, from now on.</summary>
    public StripeFault? Always { get; set; }

    /// <summary>What was late arrives.</summary>
    public void Arrive()
    {
        lock (gate)
        {
            foreach (var (_, work) in late) work();
            late.Clear();
        }
    }

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
            if (path.StartsWith("/v2/", StringComparison.Ordinal)) return AnswerJson(method, path, header("Authorization"), header("Stripe-Version"), body);
            if (!Admits(header("Authorization"), path)) return Problem(401, "invalid_request_error", "invalid_api_key", "Invalid API Key provided.");
            if (StripeForm.Parse(method == "GET" ? query : body) is not { } form) return Problem(400, "invalid_request_error", null, "Invalid form.");
            var (account, key) = (header("Stripe-Account") ?? "", header("Idempotency-Key"));
            requests.Add((method, path, account, form));
            var fault = Next(path) ?? (method == "POST" && path != Grants ? Always : null);
            return Answer(method, path, account, form, key, header("Stripe-Version"), fault);
        }
    }

    private StripeFault? Next(string path) => faults.TryPeek(out var next) && path.Contains(next.Path, StringComparison.Ordinal) ? faults.Dequeue().Fault : null;

    /// <summary>Version 2 of the API: JSON, and no idempotency keys.</summary>
    private StripeReplied AnswerJson(string method, string path, string? authorization, string? version, string body)
    {
        var json = body.Length == 0 ? [] : JsonNode.Parse(body) as JsonObject ?? [];
        requests.Add((method, path, "", json));
        var fault = Next(path);
        if (fault == StripeFault.Before) return new StripeReplied(0, "");
        if (fault is not null and not StripeFault.After) return Problem(500, "api_error", null, "Something went wrong on our end.");
        if (Contract.Fault(version, method, path, json) is { } wrong) return Problem(400, "invalid_request_error", "invalid_fields", wrong);
        var reply = Meters.Answer(method, path, authorization, body);
        if (reply.Status == 200 && Contract.Foreign(version, method, path, JsonNode.Parse(reply.Body)!.AsObject()).ToList() is { Count: > 0 } foreign) throw new InvalidOperationException($"{path} answers with {string.Join(", ", foreign)}, which Stripe's does not have.");
        return fault == StripeFault.After ? new StripeReplied(0, "") : reply;
    }

    private StripeReplied Answer(string method, string path, string account, JsonObject form, string? key, string? version, StripeFault? fault)
    {
        var (name, request) = ($"{account} {key}", $"{path} {form.ToJsonString()}");
        StripeReplied Work() => method == "POST" && key is not null ? Once(name, request, () => Do(method, path, account, form, version)) : Do(method, path, account, form, version);
        if (key is not null && late.Exists(l => l.Key == name)) return Problem(409, "idempotency_error", "idempotency_key_in_use", "There is currently another in-progress request using this Idempotency Key.");
        switch (fault)
        {
            case StripeFault.Before: return new StripeReplied(0, "");
            case StripeFault.Error: return Problem(500, "api_error", null, "Something went wrong on our end.");
            case StripeFault.RateLimit: return Problem(429, "invalid_request_error", "rate_limit", "Too many requests hit the API too quickly.");
            case StripeFault.Broken: return Once(name, request, () => Problem(500, "api_error", null, "An unknown error occurred."));
            case StripeFault.Late:
                late.Add((name, () => Work()));
                return new StripeReplied(0, "");
        }
        var reply = Work();
        return fault == StripeFault.After ? new StripeReplied(0, "") : reply;
    }

    /// <summary>An event of the past, posted now.</summary>
    public (string Body, string Signature) Event(StripeTold told, DateTimeOffset at) => Event(told.Type, told.About, at, told.Id, told.Account);

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

    private bool Admits(string? authorization, string path) => path == Grants ? authorization is not null
        : authorization == "Bearer " + secretKey || authorization == "Basic " + Convert.ToBase64String(Encoding.ASCII.GetBytes(secretKey + ":"));

    private StripeReplied Do(string method, string path, string account, JsonObject form, string? version)
    {
        // A helper of tests, which the published document does not have.
        if (path == Grants) return Refused(() => Objects.Payments.Grant(form));
        if (Contract.Fault(version, method, path, form) is { } fault) return Problem(fault.StartsWith("Unrecognized", StringComparison.Ordinal) ? 404 : 400, "invalid_request_error", CodeOf(fault), fault);
        return Refused(() =>
        {
            var made = Objects.Do(method, path, account, form, version);
            return Contract.Foreign(version, method, path, made).ToList() is { Count: > 0 } foreign ? throw new InvalidOperationException($"{path} answers with {string.Join(", ", foreign)}, which Stripe's does not have.") : made;
        });
    }

    private static string CodeOf(string fault) => fault switch
    {
        _ when fault.Contains("unknown parameter", StringComparison.Ordinal) => "parameter_unknown",
        _ when fault.StartsWith("Missing", StringComparison.Ordinal) => "parameter_missing",
        _ when fault.StartsWith("Invalid integer", StringComparison.Ordinal) => "parameter_invalid_integer",
        _ => "parameter_invalid",
    };

    private static StripeReplied Refused(Func<JsonObject> work)
    {
        try { return new StripeReplied(200, work().ToJsonString()); }
        catch (StripeRefusal no) { return Problem(no.Status, no.Type, no.Code, no.Message, no.Decline, no); }
    }

    /// <summary>The same key and parameters are answered as before; other parameters are refused. What was refused for its form is not kept.</summary>
    private StripeReplied Once(string key, string request, Func<StripeReplied> work)
    {
        if (answered.TryGetValue(key, out var earlier))
            return earlier.Request == request ? earlier.Reply with { Replayed = true }
                : Problem(400, "idempotency_error", null, "Keys for idempotent requests can only be used with the same parameters they were first used with.");
        var reply = work();
        if (reply.Status is 200 or 402 or 500) answered[key] = (request, reply);
        return reply;
    }

    private static StripeReplied Problem(int status, string type, string? code, string message, string? decline = null, StripeRefusal? of = null)
    {
        var error = new JsonObject { ["type"] = type, ["message"] = message };
        if (code is not null) error["code"] = code;
        if (decline is not null) error["decline_code"] = decline;
        if (of is { Intent: { } intent, Charge: { } charge }) (error["charge"], error["payment_intent"]) = (charge, StripeObjects.Copy(intent));
        return new StripeReplied(status, new JsonObject { ["error"] = error }.ToJsonString());
    }
}
