using System.Collections.Concurrent;
using System.Text.Json;
using Turnpike.Access.Lists;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;
using Turnpike.Catalog.Webhooks;
using Turnpike.Protocols.Http;

namespace Turnpike.Access.Asking;

/// <summary>
/// Asks an outside service whether a call may go on: signed, bounded in time, size and number, and only where the owner's
/// configuration says. Anything but a plain yes or no counts as no answer.
/// </summary>
internal sealed class OutsideDecisions(HttpClients clients, IAuditTrail audit, Shadows shadows) : IDisposable
{
    private const int MostAnswer = 16 * 1024, MostAtOnce = 128, MostReason = 200;
    private readonly ConcurrentDictionary<(Uri, TimeSpan), HttpClient> known = new();
    private int asking;

    public ValueTask<Answer?> AskAsync(Call call, AskAt at, Money? amount, string? payer, string? receipt, CancellationToken ct) =>
        AccessLists.Of(call) is { Length: > 0 } all ? AskAsync(all, call, at, amount, payer, receipt, ct) : default;

    private async ValueTask<Answer?> AskAsync(AccessLists[] all, Call call, AskAt at, Money? amount, string? payer, string? receipt, CancellationToken ct)
    {
        foreach (var lists in all)
            if (lists.Ask is { } ask && ask.At.Contains(at) && await AskAsync(call, ask, at, amount, payer, receipt, ct) is { } no)
            {
                if (!lists.Shadow) return no;
                await shadows.RecordAsync(call, "ask", no, ct);
            }
        return null;
    }

    private async ValueTask<Refusal?> AskAsync(Call call, Ask ask, AskAt at, Money? amount, string? payer, string? receipt, CancellationToken ct)
    {
        var decision = await SendAsync(ask, Question(call, at, amount, payer, receipt), call.Now, ct);
        if (decision is { Allow: true }) return null;
        if (decision is { } said) return new Refusal(Reasons.AccessDenied, said.Reason ?? "Somebody who is asked here has said no.");
        await audit.RecordAsync(call.Event(AuditKinds.DecisionMissing, ask.AllowOnFailure ? "allow" : "deny", ask.Url.Host, payer: payer), ct);
        return ask.AllowOnFailure ? null : new Refusal(Reasons.DecisionMissing, "Who decides about this call does not answer.") { RetryAfter = TimeSpan.FromSeconds(10) };
    }

    /// <summary>Null: no answer that counts.</summary>
    private async ValueTask<(bool Allow, string? Reason)?> SendAsync(Ask ask, byte[] question, DateTimeOffset now, CancellationToken ct)
    {
        if (Interlocked.Increment(ref asking) > MostAtOnce) { Interlocked.Decrement(ref asking); return null; }
        try
        {
            using var request = WebhookSignature.Sign(ask.Url, question, ask.Secret, Ids.New("q"), now);
            using var answer = await known.GetOrAdd((ask.Url, ask.Timeout), _ => clients(ask.Url, ask.Timeout, MostAnswer)).SendAsync(request, ct);
            return answer.IsSuccessStatusCode ? Read(await answer.Content.ReadAsByteArrayAsync(ct)) : null;
        }
        catch (Exception e) when (e is HttpRequestException or IOException || e is OperationCanceledException && !ct.IsCancellationRequested) { return null; }
        finally { Interlocked.Decrement(ref asking); }
    }

    private static (bool, string?)? Read(byte[] answer)
    {
        if (StrictJson.Parse(answer) is not { ValueKind: JsonValueKind.Object } said || !said.TryGetProperty("allow", out var allow) || allow.ValueKind is not (JsonValueKind.True or JsonValueKind.False)) return null;
        var reason = said.TryGetProperty("reason", out var told) && told.ValueKind == JsonValueKind.String ? told.GetString() : null;
        return (allow.ValueKind == JsonValueKind.True, reason is { Length: > 0 and <= MostReason } && !reason.Any(char.IsControl) ? reason : null);
    }

    /// <summary>Facts alone: never a credential, a key or a body.</summary>
    private static byte[] Question(Call call, AskAt at, Money? amount, string? payer, string? receipt)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("at", at switch { AskAt.Price => "price", AskAt.Settled => "settled", _ => "access" });
            json.WriteString("correlation", call.Correlation);
            json.WriteString("service", call.Operation.Service);
            json.WriteString("operation", call.Operation.Name);
            json.WriteString("request", call.RequestLine);
            json.WriteString("address", call.Address);
            json.WriteString("caller", call.Caller);
            json.WriteString("organisation", call.Principal?.Caller.Organisation);
            json.WriteString("onBehalfOf", call.Principal?.OnBehalfOf);
            if (call.Principal?.Agent is { } agent)
            {
                json.WriteString("agent", agent.Name);
                json.WriteString("agentOperator", agent.Operator);
                json.WriteBoolean("agentVerified", agent.IsVerified);
            }
            json.WriteString("plan", call.Plan);
            json.WriteString("assurance", (call.Principal?.Assurance ?? Assurance.Anonymous).ToString().ToLowerInvariant());
            if (amount is { } sum) { json.WriteString("amount", sum.ToDecimal()); json.WriteString("currency", sum.Currency); }
            if (payer is not null) json.WriteString("payer", payer);
            if (receipt is not null) json.WriteString("receipt", receipt);
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    public void Dispose()
    {
        foreach (var client in known.Values) client.Dispose();
    }
}
