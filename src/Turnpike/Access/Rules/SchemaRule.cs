using Turnpike.Catalog;
using Turnpike.Protocols.Http;
using Turnpike.Protocols.Schemas;

namespace Turnpike.Access.Rules;

/// <summary>A body is checked against its schema before anything is paid: a 400 is never charged.</summary>
internal sealed class SchemaRule : IAccessRule
{
    public ValueTask<Answer?> CheckAsync(Call call, CancellationToken ct) =>
        call.Operation.Settings.Get<RequestSchema>() is { } schema ? CheckAsync(call, schema.Body, ct) : default;

    private static async ValueTask<Answer?> CheckAsync(Call call, JsonSchema schema, CancellationToken ct)
    {
        var body = call.ReadBody is null ? default : await call.ReadBody(ct);
        // Names that come twice are no sound JSON here: the upstream might believe the other one.
        if (StrictJson.Parse(body.Span) is not { } value) return new Refusal(Reasons.SchemaMismatch, body.Length == 0 ? "A JSON body is wanted." : "The body is no sound JSON: it is cut off, has a name twice, or is nested too deeply.");
        var wrong = schema.Check(value);
        return wrong.Count == 0 ? null : new Refusal(Reasons.SchemaMismatch, string.Join("; ", wrong.Select(w => $"{(w.Pointer.Length == 0 ? "the body" : w.Pointer)} {w.Message}")) + ".");
    }
}

/// <summary>What requests to an operation look like.</summary>
internal sealed record RequestSchema(JsonSchema Body);
