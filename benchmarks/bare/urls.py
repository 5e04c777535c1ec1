from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import re_path


def one(request: HttpRequest) -> JsonResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return JsonResponse({"one": cursor.fetchone()[0]})


urlpatterns = [re_path("", one)]
