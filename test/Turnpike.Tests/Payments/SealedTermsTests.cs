using Turnpike.Catalog;
using Turnpike.Payments;

namespace Turnpike.Tests.Payments;

/// <summary>Terms the payer carries for us.</summary>
public sealed class SealedTermsTests
{
    private static readonly byte[] Current = [.. Enumerable.Repeat((byte)1, 32)], Old = [.. Enumerable.Repeat((byte)2, 32)];
    private readonly Rails rails = new();

    private SealedTerms Terms()
    {
        var call = rails.Call();
        return SealedTerms.For(call, call.Quote!.ValidUntil) with { Caller = "alice", BodyDigest = "sha-256=:x:" };
    }

    [Fact]
    public void What_was_sealed_is_opened_as_it_was()
    {
        var terms = Terms();
        new TermsSeal([Current]).Open(new TermsSeal([Current]).Seal(terms)).ShouldBe(terms);
        var session = terms with { Session = TimeSpan.FromHours(1) };
        new TermsSeal([Current]).Open(new TermsSeal([Current]).Seal(session)).ShouldBe(session);
        new TermsSeal([Current, Old]).Open(new TermsSeal([Old]).Seal(terms)).ShouldBe(terms);
        new TermsSeal([Current]).Open(new TermsSeal([Old]).Seal(terms)).ShouldBeNull();
    }

    [Fact]
    public void One_changed_character_anywhere_opens_nothing()
    {
        var seal = new TermsSeal([Current]);
        var text = seal.Seal(Terms());
        for (var i = 0; i < text.Length - 1; i++)
            seal.Open(text[..i] + (text[i] == 'A' ? 'B' : 'A') + text[(i + 1)..]).ShouldBeNull($"at {i}");
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("e30.")]
    [InlineData("no dot")]
    [InlineData("\u00e9.\u00e9")]
    public void What_is_no_seal_opens_nothing(string text)
    {
        new TermsSeal([Current]).Open(text).ShouldBeNull();
        SealedTerms.Decode(text).ShouldBeNull();
    }

    [Fact]
    public void Terms_hold_for_their_caller_and_body_and_until_they_expire()
    {
        var (call, terms) = (rails.Call(), Terms());
        call.Caller = "alice";
        terms.Objection(call, "sha-256=:x:").ShouldBeNull();
        terms.Objection(call, "sha-256=:y:").ShouldNotBeNull().Reason.ShouldBe(Reasons.WrongResource);
        terms.Objection(call, null).ShouldNotBeNull().Reason.ShouldBe(Reasons.WrongResource);
        call.Caller = "bob";
        terms.Objection(call, "sha-256=:x:").ShouldNotBeNull().Reason.ShouldBe(Reasons.WrongResource);
        call.Caller = "alice";
        rails.Time.Leap(TimeSpan.FromMinutes(5));
        var late = rails.Call();
        late.Caller = "alice";
        terms.Objection(late, "sha-256=:x:").ShouldBeNull("the last moment counts");
        rails.Time.Leap(TimeSpan.FromTicks(1));
        late = rails.Call();
        late.Caller = "alice";
        terms.Objection(late, "sha-256=:x:").ShouldNotBeNull().Reason.ShouldBe(Reasons.PaymentExpired);
    }
}
