"""The admin's home page is ours."""

from django.contrib import admin

admin.site.index_title = "Overview"
admin.site.index_template = "backoffice/home.html"
