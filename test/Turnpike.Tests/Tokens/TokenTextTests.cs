using System.Text;
using Turnpike.Tokens;

namespace Turnpike.Tests.Tokens;

/// <summary>A token's text says by itself whether it is ours.</summary>
public sealed class TokenTextTests
{
    private static readonly byte[] Current = Encoding.UTF8.GetBytes("current secret of at least 32 bytes"), Old = Encoding.UTF8.GetBytes("previous secret of at least 32 byte");
    private readonly TokenText text = new([Current, Old]);

    [Fact]
    public void What_was_made_is_read()
    {
        var id = TokenText.NewId();
        id.Length.ShouldBe(26);
        text.Read(text.Of(id)).ShouldBe(new TokenReading(id, null));
        text.Of(id).ShouldBe(text.Of(id));
    }

    [Fact]
    public void Tokens_of_the_previous_secret_stay_good()
    {
        var id = TokenText.NewId();
        text.Read(new TokenText([Old]).Of(id)).Id.ShouldBe(id);
        new TokenText([Old]).Read(text.Of(id)).Id.ShouldBeNull();
    }

    [Fact]
    public void One_wrong_character_anywhere_is_refused()
    {
        var good = text.Of(TokenText.NewId());
        for (var i = 0; i < good.Length; i++)
        {
            var bad = good[..i] + (good[i] == 'a' ? 'b' : 'a') + good[(i + 1)..];
            text.Read(bad).Id.ShouldBeNull(bad);
        }
        text.Read("tp_" + new string('x', 62)).Error.ShouldNotBeNull();
    }

    [Fact]
    public void A_typing_error_and_a_forgery_are_told_apart()
    {
        var good = text.Of(TokenText.NewId());
        var typo = good[..5] + (good[5] == 'a' ? 'b' : 'a') + good[6..];
        text.Read(typo).Error.ShouldNotBeNull().ShouldContain("typing error");
        text.Read(new TokenText([[.. Enumerable.Repeat((byte)1, 32)]]).Of(TokenText.NewId())).Error.ShouldBe("it was not issued here");
    }

    [Theory]
    [InlineData("")]
    [InlineData("tp_")]
    [InlineData("tp_short_x_00000000")]
    [InlineData("\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9")]
    public void What_is_no_token_is_told_so_without_a_throw(string odd) => text.Read(odd).Error.ShouldBe("it does not have the form of a token");
}
