using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Turnpike.Catalog;

namespace Turnpike.Payments;

/// <summary>One way to pay this call.</summary>
/// <param name="Method">The method's name.</param>
/// <param name="Network">CAIP-2, or null where there is none.</param>
/// <param name="Amount">In the rail's own units or decimal text, as <paramref name="Currency"/> says.</param>
/// <param name="Currency">An asset address, an ISO code, or <c>USD</c>.</param>
/// <param name="Send">The header the proof goes in, and its format.</param>
/// <param name="Terms">What the protocol writes out: requirements, a charge request.</param>
internal sealed record Offer(string Protocol, string Method, string? Network, string Amount, string Currency, string? Recipient, SendAs Send, object? Terms)
{
    /// <summary>Where to go to be able to pay, if one has to.</summary>
    public string? Url { get; init; }

    /// <summary>MPP's name for it: <c>evm/charge</c>.</summary>
    public string? Intent { get; init; }
}

/// <summary>How to present a proof.</summary>
internal sealed record SendAs(string Header, string Format);

/// <summary>An answer being written: its headers, and the fields protocols add to a problem body.</summary>
internal sealed class Reply(IHeaderDictionary headers)
{
    private List<Action<Utf8JsonWriter>>? fields;

    public IHeaderDictionary Headers { get; } = headers;

    /// <summary>Set by MPP: the id of the first fresh challenge, for the problem body.</summary>
    public string? ChallengeId { get; set; }

    /// <summary>Adds properties to the problem body.</summary>
    public void Body(Action<Utf8JsonWriter> write) => (fields ??= []).Add(write);

    public void WriteFields(Utf8JsonWriter json)
    {
        foreach (var field in fields ?? []) field(json);
    }
}

/// <summary>What a payer is told about money taken.</summary>
internal sealed record Receipt(string Protocol, string Method, string Reference, Ledger.Money Charged, string Payer, DateTimeOffset Time)
{
    public string? Network { get; init; }

    /// <summary>In the rail's units, as text.</summary>
    public string? RailAmount { get; init; }

    /// <summary>The credential the receipt answers; its protocol knows what to echo.</summary>
    public required Credential Credential { get; init; }

    public bool ByCredit { get; init; }
}

/// <summary>What came of collecting.</summary>
internal abstract record Settlement
{
    /// <summary>The rail has it. <paramref name="RailAmount"/> in the rail's units.</summary>
    internal sealed record Settled(string Reference, string? RailAmount = null) : Settlement;

    /// <summary>The rail refused and will never take it: released.</summary>
    internal sealed record Failed(string Code, string Detail, string? Reference = null) : Settlement
    {
        public Reason? As { get; init; }
    }

    /// <summary>Nobody knows yet. Neither served, nor charged again, nor offered anew until the settler does.</summary>
    internal sealed record Unknown(string? Reference, string Detail) : Settlement
    {
        /// <summary>Why the rail said no for now, where it may still take the money later. Without a reference nothing says that it was sent, and the payer is told the no.</summary>
        public string? Refused { get; init; }
    }
}
