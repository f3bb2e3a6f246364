using System.Text;
using Turnpike.Metering.Reading;

namespace Turnpike.Tests.Metering;

/// <summary>Answers as providers document them that no recording shows, whole and in pieces of every size up to eight.</summary>
public sealed class ProviderShapesTests
{
    [Theory]
    [InlineData("openai-responses", "tools, and cut by its maximum", "gpt-4.1-mini reported: 100 cached_input_tokens, 220 input_tokens, 64 output_tokens, 32 reasoning_tokens; 384 total", """
        event: response.created
        data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","status":"in_progress","model":"gpt-4.1-mini","output":[],"usage":null}}

        event: response.output_item.added
        data: {"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"weather","arguments":""}}

        event: response.function_call_arguments.delta
        data: {"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":0,"delta":"{\"city\":"}

        event: response.function_call_arguments.done
        data: {"type":"response.function_call_arguments.done","item_id":"fc_1","output_index":0,"arguments":"{\"city\":\"Paris\"}"}

        event: response.incomplete
        data: {"type":"response.incomplete","sequence_number":9,"response":{"id":"resp_1","object":"response","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"model":"gpt-4.1-mini","output":[{"type":"function_call","arguments":"{\"usage\":{\"input_tokens\":9}}"}],"usage":{"input_tokens":320,"input_tokens_details":{"cached_tokens":100},"output_tokens":64,"output_tokens_details":{"reasoning_tokens":32},"total_tokens":384}}}


        """)]
    [InlineData("openai-responses", "failed without a word on usage", "gpt-4o estimated: 2 output_tokens; 2 total", """
        event: response.output_text.delta
        data: {"type":"response.output_text.delta","item_id":"m","output_index":0,"content_index":0,"delta":"Hello"}

        event: response.failed
        data: {"type":"response.failed","response":{"id":"resp_1","status":"failed","error":{"code":"server_error","message":"busy"},"model":"gpt-4o","usage":null}}


        """)]
    [InlineData("openai", "usage null in every chunk, no [DONE], no empty line at the end", "gpt-4o reported: 9 input_tokens, 2 output_tokens; 11 total", """
        data: {"id":"c","object":"chat.completion.chunk","model":"gpt-4o","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null,"obfuscation":"xY"}

        data: {"id":"c","object":"chat.completion.chunk","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}],"usage":null}

        data: {"id":"c","object":"chat.completion.chunk","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}
        """)]
    [InlineData("openai", "several lines of data, comments, other fields, none with a space", "m reported: 3 input_tokens, 4 output_tokens; 7 total", """
        : keep alive

        event:message
        id:7
        data:{"model":"m","choices":[],
        data:"usage":{"prompt_tokens":3,
        data: "completion_tokens":4,"total_tokens":7}}
        retry:10

        : and again
        data:[DONE]


        """)]
    [InlineData("openai", "running totals in every chunk", "v reported: 5 input_tokens, 3 output_tokens; 8 total", """
        data: {"model":"v","choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6}}

        data: {"model":"v","choices":[{"index":0,"delta":{"content":"b"}}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}

        data: {"model":"v","choices":[{"index":0,"delta":{"content":"c"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}

        data: [DONE]


        """)]
    [InlineData("openai", "a transcript as it is written", " reported: 14 input_audio_tokens, 2 input_tokens, 45 output_tokens; 61 total", """
        data: {"type":"transcript.text.delta","delta":"I see"}

        data: {"type":"transcript.text.done","text":"I see skies","usage":{"type":"tokens","input_tokens":16,"input_token_details":{"text_tokens":2,"audio_tokens":14},"output_tokens":45,"total_tokens":61}}


        """)]
    [InlineData("openai", "speech as it is made", " reported: 14 input_tokens, 101 output_tokens; 115 total", """
        data: {"type":"speech.audio.delta","audio":"UklGRg=="}

        data: {"type":"speech.audio.done","usage":{"input_tokens":14,"output_tokens":101,"total_tokens":115}}


        """)]
    [InlineData("anthropic", "a tool of the server's, caches of both lifetimes, totals that grow", "claude reported: 456 cache_write_1h_tokens, 148 cache_write_tokens, 1800 cached_input_tokens, 2769 input_tokens, 510 output_tokens, 2 web_searches; 5683 total", """
        event: message_start
        data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"stop_reason":null,"usage":{"input_tokens":2679,"cache_creation_input_tokens":604,"cache_read_input_tokens":1800,"cache_creation":{"ephemeral_5m_input_tokens":148,"ephemeral_1h_input_tokens":456},"output_tokens":3,"service_tier":"standard"}}}

        event: ping
        data: {"type":"ping"}

        event: content_block_start
        data: {"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"query\":\"weather\"}"}}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":null,"stop_sequence":null},"usage":{"output_tokens":100,"server_tool_use":{"web_search_requests":1}}}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":2769,"cache_creation_input_tokens":604,"cache_read_input_tokens":1800,"output_tokens":510,"server_tool_use":{"web_search_requests":2}}}

        event: message_stop
        data: {"type":"message_stop"}


        """)]
    [InlineData("anthropic", "an error in the middle: its placeholder is not the last word", "claude mixed: 25 input_tokens, 2 output_tokens; 27 total", """
        event: message_start
        data: {"type":"message_start","message":{"model":"claude","stop_reason":null,"usage":{"input_tokens":25,"output_tokens":1}}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":1}}

        event: error
        data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}


        """)]
    [InlineData("gemini", "thoughts, a cache and a tool", "gemini-2.5-pro reported: 40 cached_input_tokens, 72 input_tokens, 58 output_tokens, 31 reasoning_tokens; 170 total", """
        data: {"candidates":[{"content":{"parts":[{"text":"Hm.","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":40,"toolUsePromptTokenCount":12,"thoughtsTokenCount":20,"totalTokenCount":132},"modelVersion":"gemini-2.5-pro"}

        data: {"candidates":[{"content":{"parts":[{"text":"Yes."}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":40,"toolUsePromptTokenCount":12,"candidatesTokenCount":27,"thoughtsTokenCount":31,"totalTokenCount":170},"modelVersion":"gemini-2.5-pro"}


        """)]
    public void A_stream_tells_the_same_however_its_lines_end_and_wherever_it_is_cut(string format, string what, string told, string stream)
    {
        foreach (var end in (string[])["\n", "\r\n", "\r"])
            foreach (var mark in (string[])["", "\uFEFF"])
                for (var each = 1; each <= 9; each++)
                    Fixtures.Told(Fixtures.UsageOf(format, Encoding.UTF8.GetBytes(mark + stream.Replace("\n", end, StringComparison.Ordinal)), "text/event-stream; charset=utf-8", from => each > 8 ? int.MaxValue : from + each)).ShouldBe(told, $"{what}, {each} bytes at a time");
    }

    [Theory]
    [InlineData("openai", "embeddings in base64", """{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPwAAAEA="}],"model":"text-embedding-3-small","usage":{"prompt_tokens":8,"total_tokens":8}}""", "text-embedding-3-small reported: 8 input_tokens; 8 total")]
    [InlineData("openai", "a count named twice is the later one", """{"model":"m","usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9},"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}""", "m reported: 9 input_tokens, 2 output_tokens; 11 total")]
    [InlineData("openai", "predictions are a part of the completion", """{"model":"m","usage":{"prompt_tokens":8,"completion_tokens":30,"total_tokens":38,"completion_tokens_details":{"reasoning_tokens":4,"accepted_prediction_tokens":10,"rejected_prediction_tokens":6}}}""", "m reported: 8 input_tokens, 30 output_tokens, 4 reasoning_tokens; 38 total")]
    [InlineData("openai", "reasoning beside the completion, only in the total", """{"model":"grok","usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":35,"completion_tokens_details":{"reasoning_tokens":20}}}""", "grok reported: 10 input_tokens, 25 output_tokens, 20 reasoning_tokens; 35 total")]
    [InlineData("openai", "a picture's parts", """{"created":1,"data":[{"b64_json":"aGk="}],"background":"opaque","usage":{"total_tokens":1200,"input_tokens":150,"output_tokens":1050,"input_tokens_details":{"text_tokens":30,"image_tokens":120},"output_tokens_details":{"text_tokens":0,"image_tokens":1050}}}""", " reported: 120 input_image_tokens, 30 input_tokens, 1050 output_image_tokens; 1200 total")]
    [InlineData("openai", "audio by the begun minute, seconds with a fraction", """{"text":"hi","usage":{"type":"duration","seconds":60.2}}""", " reported: 2 minutes, 61 seconds; 0 total")]
    [InlineData("gemini", "a question that was blocked", """{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":7,"totalTokenCount":7},"modelVersion":"g"}""", "g reported: 7 input_tokens; 7 total")]
    public void A_body_tells_the_same_wherever_it_is_cut(string format, string what, string body, string told)
    {
        for (var each = 1; each <= 9; each++)
            Fixtures.Told(Fixtures.UsageOf(format, Encoding.UTF8.GetBytes(body), "application/json", from => each > 8 ? int.MaxValue : from + each)).ShouldBe(told, $"{what}, {each} bytes at a time");
    }

    [Theory]
    [InlineData(true, " reported: 3 cache_write_tokens, 5 cached_input_tokens, 11 input_tokens, 4 output_tokens; 23 total")]
    [InlineData(false, " estimated: 3 output_tokens; 3 total")]
    public void A_stream_of_converse_tells_its_use_at_its_end_and_an_exception_tells_none(bool ends, string told)
    {
        byte[] stream =
        [
            .. BinaryEvent.Write("messageStart", """{"p":"abc","role":"assistant"}"""u8),
            .. BinaryEvent.Write("contentBlockDelta", """{"contentBlockIndex":0,"delta":{"text":"hello there"}}"""u8),
            .. ends
                ? (byte[])[.. BinaryEvent.Write("messageStop", """{"stopReason":"tool_use"}"""u8), .. BinaryEvent.Write("metadata", """{"usage":{"inputTokens":11,"outputTokens":4,"totalTokens":23,"cacheReadInputTokens":5,"cacheWriteInputTokens":3},"metrics":{"latencyMs":9}}"""u8)]
                : BinaryEvent.Write("modelStreamErrorException", """{"message":"The model stream failed.","originalStatusCode":424}"""u8),
        ];
        for (var each = 1; each <= 9; each++)
            Fixtures.Told(Fixtures.UsageOf("bedrock", stream, "application/vnd.amazon.eventstream", from => from + each)).ShouldBe(told);
    }
}
