using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Turnpike.Tests.Billing.Stripe;

namespace Turnpike.EndToEnd.Harness;

/// <summary>The pages of the Stripe double, where people pay and change how they pay: each a form that asks for the card.</summary>
internal static class StripePages
{
    private const string Declined = "Your card was declined.";

    public static void MapStripePages(this IEndpointRouteBuilder app, StripeObjects objects)
    {
        app.MapGet("/pay/{id}", (string id) => Checkout(objects, id, "Pay"));
        app.MapPost("/pay/{id}", async (string id, HttpRequest request) => objects.Pay(id, await CardAsync(request)) is { } next ? Results.Redirect(next) : Checkout(objects, id, Declined));
        app.MapGet("/i/{id}", (string id) => Invoice(objects, id, "Invoice"));
        app.MapPost("/i/{id}", async (string id, HttpRequest request) => objects.PayInvoice(id, await CardAsync(request)) ? Frame("Paid", "") : Invoice(objects, id, Declined));
        app.MapGet("/portal/{id}", (string id) => Portal(objects, id, "Your billing"));
        app.MapPost("/portal/{id}", async (string id, HttpRequest request) =>
        {
            objects.Save((string)objects[id]["customer"]!, await CardAsync(request));
            return Portal(objects, id, "Your card is saved");
        });
    }

    private static IResult Checkout(StripeObjects objects, string id, string heading) =>
        Frame(heading, $"<p>{Text((string?)objects[id]["custom_text"]?["submit"]?["message"] ?? "")}</p>{Form($"Pay {StripeObjects.Long(objects[id]["amount_total"])}")}");

    private static IResult Invoice(StripeObjects objects, string id, string heading) => Frame(heading, Form($"Pay {StripeObjects.Long(objects[id]["total"])}"));

    private static IResult Portal(StripeObjects objects, string id, string heading) => Frame(heading,
        $"<p>{objects.All("invoice", objects.AccountOf(id)).Count(i => (string?)i["customer"] == (string?)objects[id]["customer"])} invoice(s)</p>{Form("Save card")}<p><a href=\"{Text((string)objects[id]["return_url"]!)}\">Back</a></p>");

    private static string Form(string button) =>
        $"<form method=\"post\"><p><label for=\"card\">Card</label> <input id=\"card\" name=\"card\" value=\"{StripeCards.Good}\"></p><button type=\"submit\">{button}</button></form>";

    private static IResult Frame(string heading, string body) =>
        Results.Content($"<!doctype html><html lang=\"en\"><title>{heading}</title><link rel=\"icon\" href=\"data:,\"><h1>{heading}</h1>{body}", "text/html");

    private static async Task<string> CardAsync(HttpRequest request) => (await request.ReadFormAsync())["card"].ToString() is { Length: > 0 } card ? card : StripeCards.Good;

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
