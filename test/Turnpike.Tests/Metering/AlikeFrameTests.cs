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
        $$$"""data: {"id":"{{{new string('c', 700)}}}","choices":[{"index":0,"delta":{"content":"TEXT"}}],"usage":null}""",
        "data: {\"choices\":[{\"delta\":\ndata: {\"content\":\"TEXT\"}}]}",
        "event: TEXT\ndata: {\"choices\":[{\"delta\":{\"content\":\"TEXT\"}}]}",
        ": TEXT", "data: [DONE]", "data: {\"choices\":[{\"delta\":{\"content\":\"TEXT",
    ];

    private static readonly string[] Texts = ["", "a", " wave", "wave wave wave", "ünï", "\\n", "a\\\"b", "\\u00fc", "\\ud83d\\ude00", "usage", "}}]", "\t", "fifteen letters", "sixteen letters.", "fifteen letters\\n", "sixteen letters.\\\"", "more letters than are looked at together"];

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
    public void Wherever_it_is_cut_and_whatever_is_allowed_whole_frames_of_any_length_are_read_and_their_text_is_told()
    {
        string[] words = ["four", "", " of the sea", "x", "fifteen letters", "sixteen letters.", "more letters than that", "\\n", "four", """a \"word\" of it""", "end"];
        var frames = words.Select(w => Encoding.UTF8.GetBytes($"data: {{\"choices\":[{{\"delta\":{{\"content\":\"{w}\"}}}}]}}\n\n")).ToArray();
        var simple = words.TakeWhile(w => !w.Contains('\\')).ToArray(); // what is escaped is read, not compared
        byte[] all = [.. frames.SelectMany(f => f)];
        for (var cut = 0; cut <= all.Length; cut++)
            foreach (var most in new[] { 4L, 8, 20, 1_000 })
            {
                var reader = new Turnpike.Metering.UsageReader(new(new(Turnpike.Metering.Formats.UsageFormats.ByName["openai"], [])), "text/event-stream");
                reader.Read(frames[0], out _).ShouldBe(frames[0].Length);
                var (expected, text) = (0, 4L);
                for (var i = 0; i < simple.Length && expected + frames[i].Length <= cut && text + simple[i].Length <= most; i++) (expected, text) = (expected + frames[i].Length, text + simple[i].Length);
                reader.ReadAlike(all.AsSpan(0, cut), most).ShouldBe(expected, $"cut at {cut}, {most} allowed");
                reader.Told.Text.ShouldBe(text);
            }
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
