using Turnpike.Catalog;

namespace Turnpike.Payments.Prepaid;

/// <summary>
/// Prepaid tokens as bearer tokens: <c>Authorization: Bearer tp_…</c>; or where the clients of providers put the key they are given, so
/// that an agent sets a token as its client's API key and nothing else.
/// </summary>
internal sealed class PrepaidProtocol : IPaymentProtocol
{
    public const string ProtocolName = "prepaid";

    private static readonly string[] KeyHeaders = ["x-api-key", "x-goog-api-key", "apikey"];

    public string Name => ProtocolName;

    public IReadOnlyList<string> CredentialHeaders { get; } = ["Authorization", .. KeyHeaders];

    public Credential? Read(Call call)
    {
        string? found = null;
        foreach (var line in call.Headers.Authorization)
        {
            if (line is null) continue;
            foreach (var part in line.Split(',', StringSplitOptions.TrimEntries))
            {
                // One that is bound to a key may come under the scheme of its proof (RFC 9449 §7.1).
                var scheme = part.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? 7 : part.StartsWith("DPoP ", StringComparison.OrdinalIgnoreCase) ? 5 : 0;
                if (scheme == 0) continue;
                var text = part[scheme..].Trim();
                if (!text.StartsWith("tp_", StringComparison.Ordinal)) continue;
                if (found is not null) return Credential.Several(Name, "Two tokens are present.");
                found = text;
            }
        }
        foreach (var name in KeyHeaders)
            foreach (var value in call.Headers[name])
            {
                if (value?.Trim() is not { } text || !text.StartsWith("tp_", StringComparison.Ordinal)) continue;
                if (found is not null && found != text) return Credential.Several(Name, "Two tokens are present.");
                found = text;
            }
        return found is null ? null : new PrepaidCredential(found) { Digest = "", Method = ProtocolName };
    }

    public void WriteChallenge(Call call, IReadOnlyList<Offer> offers, Refusal refusal, Reply reply)
    {
        foreach (var offer in offers)
        {
            if (offer.Protocol != Name) continue;
            var error = refusal.Reason == Reasons.PaymentRequired ? "" : $", error=\"invalid_token\", error_description=\"{refusal.Reason.Code}\"";
            reply.Headers.Append("WWW-Authenticate", $"Bearer realm=\"{call.Catalog.Gateway.Url.Host}\"{error}");
        }
    }

    /// <summary>A token needs no receipt of its own: the Turnpike-* headers say it all.</summary>
    public void WriteReceipt(Receipt receipt, Reply reply) { }
}

/// <summary>A token as presented.</summary>
internal sealed record PrepaidCredential(string Text) : Credential(PrepaidProtocol.ProtocolName);
