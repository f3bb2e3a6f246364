using System.Text;

namespace Turnpike.Tests.Metering;

/// <summary>Frames that are only compared with the one before tell what they would tell if they were read.</summary>
public sealed class AlikeFrameTests
{
    private static readonly string[] Frames =
    [
        """data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"TEXT"}}],"usage":null}""",
        """data: {"id":"c","model":"m","choices":[{"index":1,"delta":{"content":"TEXT"}}],"usage":null}""",
        """data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"TEXT"}}],"obfuscation":"TEXT"}""",
        """data: {"id":"c","model":"TEXT","choices":[{"delta":{"content":"TEXT","refusal":"TEXT"}}]}""",
        """data:{"choices":[{"delta":{"tool_calls":[{"function":{"name":"TEXT","arguments":"TEXT"}}]}}]}""",
        """data: {"choices":[],"usage":{"prompt_tokens":NUMBER,"completion_tokens":NUMBER,"total_tokens":NUMBER}}""",
        """data: {"choices":[{"delta":{"content":"TEXT"}}],"usage":{"prompt_tokens":7,"completion_tokens":9,"note":"TEXT"}}""",
        """data: {"choices":[{"delta":{"content":null}}],"TEXT":"TEXT","usage":null}""",
        "data: {\"choices\":[{\"delta\":\ndata: {\"content\":\"TEXT\"}}]}",
        "event: TEXT\ndata: {\"choices\":[{\"delta\":{\"content\":\"TEXT\"}}]}",
        ": TEXT", "data: [DONE]", "data: {\"choices\":[{\"delta\":{\"content\":\"TEXT",
    ];

    private static readonly string[] Texts = ["", "a", " wave", "wave wave wave", "ünï", "\\n", "a\\\"b", "\\u00fc", "\\ud83d\\ude00", "usage", "}}]", "\t"];

    [Fact]
    public void Whatever_follows_whatever_it_tells_the_same_as_byte_by_byte()
    {
        for (var seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            var stream = new StringBuilder();
            var frame = "";
            for (var i = 0; i < 40; i++)
            {
                if (frame.Length == 0 || random.Next(3) == 0) frame = Frames[random.Next(Frames.Length)];
                var text = frame;
                for (int at; (at = text.IndexOf("TEXT", StringComparison.Ordinal)) >= 0;) text = text[..at] + Texts[random.Next(Texts.Length)] + text[(at + 4)..];
                stream.Append(text.Replace("NUMBER", $"{random.Next(100)}", StringComparison.Ordinal)).Append(random.Next(8) == 0 ? "\r\n\r\n" : "\n\n");
            }
            var body = Encoding.UTF8.GetBytes(stream.ToString());
            var told = Fixtures.Told(Fixtures.UsageOf("openai", body, "text/event-stream", from => from + 1));
            Fixtures.Told(Fixtures.UsageOf("openai", body, "text/event-stream")).ShouldBe(told, $"seed {seed}");
            Fixtures.Told(Fixtures.UsageOf("openai", body, "text/event-stream", from => from + 1 + random.Next(200))).ShouldBe(told, $"seed {seed}, in pieces");
        }
    }

    [Fact]
    public void As_many_as_are_alike_are_read_at_once_and_none_beyond_the_text_that_is_allowed()
    {
        var call = new Turnpike.Metering.MeteredCall(new Turnpike.Metering.UsageSettings(Turnpike.Metering.Formats.UsageFormats.ByName["openai"], []));
        var reader = new Turnpike.Metering.UsageReader(call, "text/event-stream");
        var frame = Encoding.UTF8.GetBytes("data: {\"choices\":[{\"delta\":{\"content\":\"four\"}}]}\n\n");
        byte[] three = [.. frame, .. frame, .. frame];
        reader.ReadAlike(three, 100).ShouldBe(0, "there is none before them");
        reader.Read(frame, out _).ShouldBe(frame.Length);
        reader.ReadAlike(three, 15).ShouldBe(2 * frame.Length);
        reader.ReadAlike(three, 12).ShouldBe(0);
        reader.ReadAlike([.. three, .. "data: [DONE]\n\n"u8], 24).ShouldBe(three.Length);
        reader.Told.Text.ShouldBe(24);
    }

    [Fact]
    public void What_is_not_whole_yet_may_wait_and_is_read_when_nothing_more_comes()
    {
        var call = new Turnpike.Metering.MeteredCall(new Turnpike.Metering.UsageSettings(Turnpike.Metering.Formats.UsageFormats.ByName["openai"], []));
        var reader = new Turnpike.Metering.UsageReader(call, "text/event-stream");
        var frame = Encoding.UTF8.GetBytes("data: {\"choices\":[{\"delta\":{\"content\":\"four\"}}]}\n\n");
        reader.Read(frame, out var ended, mayWait: true).ShouldBe(frame.Length);
        (ended, reader.IsAlike).ShouldBe((true, false));
        for (var part = 1; part < frame.Length; part++) reader.Read(frame.AsSpan(0, part), out _, mayWait: true).ShouldBe(0);
        reader.Read(frame, out ended, mayWait: true).ShouldBe(frame.Length);
        (ended, reader.IsAlike, reader.Told.Text).ShouldBe((true, true, 8));
        reader.Read(frame.AsSpan(0, 40), out ended).ShouldBe(40);
        (ended, reader.Told.Text).ShouldBe((false, 8));
    }
}
