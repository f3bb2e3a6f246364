using System.Text.Json;
using Turnpike.Catalog.Loading;

namespace Turnpike.Tests.Catalog;

/// <summary>What <c>turnpike check</c> prints and exits with.</summary>
public sealed class CheckCommandTests
{
    [Fact]
    public void A_sound_document_is_told_as_understood()
    {
        var (code, output, err) = Check(File.ReadAllText(Documents.FromRoot("turnpike.example.yaml")));
        code.ShouldBe(0);
        err.ShouldBeEmpty();
        output.ShouldContain("mpp challenges are valid for 5 minutes");
        output.ShouldContain("news -> http://127.0.0.1:9000/ (weight 1), http://127.0.0.1:9001/ (weight 3); begins to answer within 30 seconds, asked at /healthz every 5 seconds");
        output.ShouldContain("unpaid: 60 requests per 1 minute for each caller and address");
        output.ShouldContain("forecast: GET weather.example.com/weather/forecast/{city}; 0.01 USD; plan, x402.exact, mpp.evm, prepaid");
        output.ShouldContain("report: POST weather.example.com/weather/reports; 1.00 USD; mpp.stripe, x402.exact, prepaid; settled before");
        output.ShouldContain("status: GET weather.example.com/weather/status; free");
        output.ShouldNotContain("hush");
    }

    [Fact]
    public void A_bad_document_exits_with_2_and_all_its_errors()
    {
        var (code, output, err) = Check("gatway: {}\nservices: 5\n");
        code.ShouldBe(2);
        output.ShouldBeEmpty();
        err.ShouldContain(":1:1: gatway: unknown key; did you mean 'gateway'?");
        err.ShouldContain(":2:11: services: a map of services by name is wanted here");
        err.ShouldContain("2 errors");
    }

    [Fact]
    public void The_same_as_json()
    {
        var (code, output, _) = Check("gatway: {}\n", json: true);
        code.ShouldBe(2);
        using var document = JsonDocument.Parse(output);
        document.RootElement.GetProperty("sound").GetBoolean().ShouldBeFalse();
        var error = document.RootElement.GetProperty("errors")[0];
        (error.GetProperty("line").GetInt32(), error.GetProperty("column").GetInt32(), error.GetProperty("path").GetString()).ShouldBe((1, 1, "gatway"));

        (code, output, _) = Check(File.ReadAllText(Documents.FromRoot("turnpike.example.yaml")), json: true);
        code.ShouldBe(0);
        using var sound = JsonDocument.Parse(output);
        sound.RootElement.GetProperty("operations")[0].GetProperty("price").GetString().ShouldBe("0.01 USD");
    }

    [Fact]
    public void A_file_that_is_not_there_is_wrong_input()
    {
        var err = new StringWriter();
        CheckCommand.Run(Language.Loader, Documents.Environment, "no/such.yaml", false, TextWriter.Null, err).ShouldBe(2);
        err.ToString().ShouldStartWith("no/such.yaml: the file cannot be read");
    }

    private static (int Code, string Output, string Err) Check(string text, bool json = false)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, text);
            var (output, err) = (new StringWriter(), new StringWriter());
            return (CheckCommand.Run(Language.Loader, Documents.Environment, path, json, output, err), output.ToString(), err.ToString());
        }
        finally
        {
            File.Delete(path);
        }
    }
}
