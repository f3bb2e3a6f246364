using System.Security.Cryptography;
using System.Text;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Admin.Support;

/// <summary>All that is known of one payment, for whoever disputes it.</summary>
/// <param name="Iss">The installation that says so.</param>
/// <param name="Issued">When this was written.</param>
/// <param name="ProofDigest">SHA-256 over what settlement kept of the proof, hex: the proof itself is a credential and not shown. Null for tokens.</param>
/// <param name="Binding">The digest of operation, request, body and proof that the payment was bound to.</param>
/// <param name="Request">What was asked: method, canonical target, and the body by its digest.</param>
/// <param name="Answer">Status, bytes and SHA-256 of what left, and of the request's body where it was bound to one; also of an answer that was not charged. Null when nothing left.</param>
/// <param name="Events">Every decision of its correlation, each with its hash in the audit trail.</param>
/// <param name="Agent">The agent that sent the call, where it signed or somebody vouched for it.</param>
/// <param name="OnBehalfOf">For whom the caller acted, when that was somebody else.</param>
internal sealed record Evidence(string Iss, DateTimeOffset Issued, PaymentView Payment, string? Agent, string? OnBehalfOf, string? ProofDigest, string Binding, RequestDigest Request, string? Answer, IReadOnlyList<RefundView> Refunds, IReadOnlyList<EventView> Events)
{
    public const string Type = "turnpike-evidence+jwt";

    public static Evidence Of(PaymentStory story, HoldState state, GatewaySettings gateway, DateTimeOffset now) => new(
        gateway.Url.GetLeftPart(UriPartial.Authority),
        now,
        story.Payment,
        HeldOf(story, state)?.Agent,
        HeldOf(story, state)?.OnBehalfOf,
        state.Hold.Terms is { } terms ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(terms))) : null,
        state.Hold.Binding,
        RequestDigest.Of(state.Hold.Request, story.Events.FirstOrDefault(e => e.Kind == AuditKinds.Verified && e.Reference == state.Hold.Id)?.Detail),
        story.Events.FirstOrDefault(e => e.Kind is AuditKinds.Delivered or AuditKinds.Undelivered && e.Reference == state.Hold.Receipt)?.Detail,
        story.Refunds,
        story.Events);

    private static EventView? HeldOf(PaymentStory story, HoldState state) => story.Events.FirstOrDefault(e => e.Kind == AuditKinds.Held && e.Reference == state.Hold.Id);
}

/// <summary>A request in a form that either side can compute from its own copy.</summary>
/// <param name="BodyDigest">As RFC 9530 writes it, <c>sha-256=:…:</c>; null without a body, or when it was too large to be bound to.</param>
/// <param name="Digest">SHA-256 over method, line feed, target, line feed and <paramref name="BodyDigest"/>, hex.</param>
internal sealed record RequestDigest(string Method, string Target, string? BodyDigest, string Digest)
{
    private const string Body = "body=";

    public static RequestDigest Of(string request, string? verified)
    {
        var space = request.IndexOf(' ', StringComparison.Ordinal);
        var (method, target) = space < 0 ? (request, "") : (request[..space], request[(space + 1)..]);
        var body = verified?.StartsWith(Body, StringComparison.Ordinal) == true ? verified[Body.Length..] : null;
        return new(method, target, body, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{method}\n{target}\n{body}"))));
    }
}

/// <summary>The evidence to read, and the same signed (JWS, ES256): what the signature covers counts.</summary>
internal sealed record SignedEvidence(Evidence Evidence, string Signed);
